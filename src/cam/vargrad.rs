//! VarGrad: Adebayo et al., arXiv 1810.03292.

use super::method::{At, Row};
use super::sampling::{Moment, Passes};
use super::simple::magnitude;

/// `max_k var G_k` over the image's channels, under noise.
pub const ROW: Row =
    Row { name: "vargrad", at: At::Pixels, passes: Passes::Noise(Moment::Variance), raw: magnitude, ..Row::USUAL };
