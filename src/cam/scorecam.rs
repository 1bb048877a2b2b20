//! Score-CAM: Wang et al., arXiv 1910.01279.

use super::method::Row;
use super::sampling::{Masked, Passes};

/// `Σ_k softmax_k(score of the image seen through A_k) · A_k`.
pub const ROW: Row = Row { name: "scorecam", rule: None, passes: Passes::Masked(Masked::ThroughChannel), ..Row::USUAL };
