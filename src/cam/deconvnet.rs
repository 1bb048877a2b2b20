//! Deconvolution: Zeiler and Fergus, arXiv 1311.2901.

use super::method::{At, Row};
use super::simple::magnitude;
use crate::graph::Rule;

/// `max_k |G_k|` over the image's channels, where `G` is what the ReLUs let through, see [`Rule::Deconvolution`].
pub const ROW: Row =
    Row { name: "deconvnet", at: At::Pixels, rule: Some(Rule::Deconvolution), raw: magnitude, ..Row::USUAL };
