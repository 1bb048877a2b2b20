//! Saliency: Simonyan et al., arXiv 1312.6034.

use super::method::{At, Row};
use super::sampling::Passes;
use super::simple::magnitude;
use crate::graph::Rule;

/// `max_k |G_k|` over the image's channels.
pub const ROW: Row =
    Row { name: "saliency", at: At::Pixels, rule: Some(Rule::Standard), passes: Passes::One, raw: magnitude };
