//! Ablation-CAM: Desai and Ramaswamy, WACV 2020.

use super::method::Row;
use super::sampling::{Masked, Passes};

/// `Σ_k (1 − score without A_k / score) · A_k`.
pub const ROW: Row =
    Row { name: "ablationcam", rule: None, passes: Passes::Masked(Masked::WithoutChannel), ..Row::USUAL };
