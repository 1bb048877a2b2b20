//! SmoothGrad: Smilkov et al., arXiv 1706.03825.

use super::method::{At, Row};
use super::sampling::{Moment, Passes};
use super::simple::magnitude;

/// `max_k |mean G_k|` over the image's channels, under noise.
pub const ROW: Row =
    Row { name: "smoothgrad", at: At::Pixels, passes: Passes::Noise(Moment::Mean), raw: magnitude, ..Row::USUAL };
