//! Occlusion: Zeiler and Fergus, arXiv 1311.2901, as Captum computes it.

use super::method::{At, Row};
use super::sampling::{Masked, Passes};
use super::simple::given;

/// At each pixel the mean, over the squares that cover it, of what the score loses when the square is the mean colour.
pub const ROW: Row = Row {
    name: "occlusion",
    at: At::Pixels,
    rule: None,
    passes: Passes::Masked(Masked::Square),
    raw: given,
    ..Row::USUAL
};
