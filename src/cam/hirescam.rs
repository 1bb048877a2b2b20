//! HiResCAM: Draelos and Carin, arXiv 2011.08891.

use super::method::Row;

/// `Σ_k G_k ∘ A_k`.
pub const ROW: Row = Row { name: "hirescam", ..Row::USUAL };
