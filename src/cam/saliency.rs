//! Saliency: Simonyan et al., arXiv 1312.6034.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule};

pub const ROW: Row = Row { name: "saliency", at: At::Pixels, rule: Some(Rule::Standard), passes: Passes::One, raw };

/// `max_k |G_k|` over the image's channels.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::Magnitude, &[layer.gradients()?])
}
