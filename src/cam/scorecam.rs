//! Score-CAM: Wang et al., arXiv 1910.01279.

use super::method::{At, Row};
use super::sampling::{Masked, Passes};
use super::simple::product;

/// `Σ_k softmax_k(score of the image seen through A_k) · A_k`.
pub const ROW: Row =
    Row { name: "scorecam", at: At::Layers, rule: None, passes: Passes::Masked(Masked::ThroughChannel), raw: product };
