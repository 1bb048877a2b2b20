//! Deconvolution: Zeiler and Fergus, arXiv 1311.2901.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule};

pub const ROW: Row = Row { name: "deconvnet", at: At::Pixels, rule: Some(Rule::Deconvolution), passes: Passes::One, raw };

/// `max_k |G_k|` over the image's channels, where `G` is what the ReLUs let through, see [`Rule::Deconvolution`].
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::Magnitude, &[layer.gradients()?])
}
