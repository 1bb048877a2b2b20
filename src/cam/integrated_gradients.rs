//! Integrated gradients: Sundararajan et al., arXiv 1703.01365.

use super::method::{At, Row};
use super::sampling::Passes;

/// `Σ_k x_k ∘ mean G_k` over the image's channels, where the mean is over the straight way from the mean colour to the image.
pub const ROW: Row = Row { name: "integrated-gradients", at: At::Pixels, passes: Passes::Path, ..Row::USUAL };
