//! The built-in cases. Together they use every operation, forward and backward, and every shader with all that can be defined
//! for it; the tests see to that.

mod chains;
mod ops;
mod tail;

use super::case::Case;
use crate::error::Result;

/// All of them.
///
/// # Errors
/// Those of a damaged library.
pub fn all() -> Result<Vec<Case>> {
    Ok([ops::cases(), chains::cases(), tail::cases()].into_iter().flatten().collect())
}
