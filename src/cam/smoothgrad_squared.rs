//! SmoothGrad of squares: Hooker et al., arXiv 1806.10758.

use super::method::{At, Row};
use super::sampling::{Moment, Passes};
use super::simple::magnitude;

/// `max_k mean G_k²` over the image's channels, under noise.
pub const ROW: Row = Row {
    name: "smoothgrad-squared",
    at: At::Pixels,
    passes: Passes::Noise(Moment::Square),
    raw: magnitude,
    ..Row::USUAL
};
