//! What is cut.

use serde::Serialize;

/// A product to be cut: `groups` times `out_blocks` × `pixels` outputs of `steps` sums of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Product {
    /// Independent products of the same extents.
    pub groups: usize,
    /// Channel blocks of outputs of a group.
    pub out_blocks: usize,
    /// Pixels of all images.
    pub pixels: usize,
    /// Taps times channel blocks of inputs.
    pub steps: usize,
}
