//! VarGrad: Adebayo et al., arXiv 1810.03292.

use super::method::{At, Row};
use super::sampling::{Moment, Passes};
use super::simple::magnitude;
use crate::graph::Rule;

/// `max_k var G_k` over the image's channels, under noise.
pub const ROW: Row = Row {
    name: "vargrad",
    at: At::Pixels,
    rule: Some(Rule::Standard),
    passes: Passes::Noise(Moment::Variance),
    raw: magnitude,
};
