//! Input × gradient: Shrikumar et al., arXiv 1605.01713.

use super::method::{At, Row};

/// `Σ_k G_k ∘ x_k` over the image's channels, where `x` is the normalised image.
pub const ROW: Row = Row { name: "input-x-gradient", at: At::Pixels, ..Row::USUAL };
