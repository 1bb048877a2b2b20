//! SmoothGrad of squares: Hooker et al., arXiv 1806.10758.

use super::method::{At, Layer, Row};
use super::sampling::{Moment, Passes};
use crate::graph::{Graph, GraphError, NodeId, Op, Rule};

pub const ROW: Row = Row {
    name: "smoothgrad-squared",
    at: At::Pixels,
    rule: Some(Rule::Standard),
    passes: Passes::Noise(Moment::Square),
    raw,
};

/// `max_k mean G_k²` over the image's channels, under noise.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::Magnitude, &[layer.gradients()?])
}
