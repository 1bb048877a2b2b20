//! SmoothGrad: Smilkov et al., arXiv 1706.03825.

use super::method::{At, Row};
use super::sampling::{Moment, Passes};
use super::simple::magnitude;
use crate::graph::Rule;

/// `max_k |mean G_k|` over the image's channels, under noise.
pub const ROW: Row = Row {
    name: "smoothgrad",
    at: At::Pixels,
    rule: Some(Rule::Standard),
    passes: Passes::Noise(Moment::Mean),
    raw: magnitude,
};
