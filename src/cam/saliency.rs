//! Saliency: Simonyan et al., arXiv 1312.6034.

use super::method::{At, Row};
use super::simple::magnitude;

/// `max_k |G_k|` over the image's channels.
pub const ROW: Row = Row { name: "saliency", at: At::Pixels, raw: magnitude, ..Row::USUAL };
