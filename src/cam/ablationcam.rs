//! Ablation-CAM: Desai and Ramaswamy, WACV 2020.

use super::method::{At, Row};
use super::sampling::{Masked, Passes};
use super::simple::product;

/// `Σ_k (1 − score without A_k / score) · A_k`.
pub const ROW: Row = Row {
    name: "ablationcam",
    at: At::Layers,
    rule: None,
    passes: Passes::Masked(Masked::WithoutChannel),
    raw: product,
};
