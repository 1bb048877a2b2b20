//! Guided backpropagation: Springenberg et al., arXiv 1412.6806.

use super::method::{At, Row};
use super::simple::magnitude;
use crate::graph::Rule;

/// `max_k |G_k|` over the image's channels, where `G` is what the ReLUs let through, see [`Rule::Guided`].
pub const ROW: Row =
    Row { name: "guided-backprop", at: At::Pixels, rule: Some(Rule::Guided), raw: magnitude, ..Row::USUAL };
