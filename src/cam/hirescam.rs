//! HiResCAM: Draelos and Carin, arXiv 2011.08891.

use super::method::{At, Row};
use super::sampling::Passes;
use super::simple::product;
use crate::graph::Rule;

/// `Σ_k G_k ∘ A_k`.
pub const ROW: Row =
    Row { name: "hirescam", at: At::Layers, rule: Some(Rule::Standard), passes: Passes::One, raw: product };
