//! VarGrad: Adebayo et al., arXiv 1810.03292.

use super::method::{At, Layer, Row};
use super::sampling::{Moment, Passes};
use crate::graph::{Graph, GraphError, NodeId, Op, Rule};

pub const ROW: Row = Row {
    name: "vargrad",
    at: At::Pixels,
    rule: Some(Rule::Standard),
    passes: Passes::Noise(Moment::Variance),
    raw,
};

/// `max_k var G_k` over the image's channels, under noise.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::Magnitude, &[layer.gradients()?])
}
