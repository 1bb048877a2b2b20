//! Guided backpropagation: Springenberg et al., arXiv 1412.6806.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule};

pub const ROW: Row = Row { name: "guided-backprop", at: At::Pixels, rule: Some(Rule::Guided), passes: Passes::One, raw };

/// `max_k |G_k|` over the image's channels, where `G` is what the ReLUs let through, see [`Rule::Guided`].
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::Magnitude, &[layer.gradients()?])
}
