//! SmoothGrad: Smilkov et al., arXiv 1706.03825.

use super::method::{At, Layer, Row};
use super::sampling::{Moment, Passes};
use crate::graph::{Graph, GraphError, NodeId, Op, Rule};

pub const ROW: Row = Row {
    name: "smoothgrad",
    at: At::Pixels,
    rule: Some(Rule::Standard),
    passes: Passes::Noise(Moment::Mean),
    raw,
};

/// `max_k |mean G_k|` over the image's channels, under noise.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::Magnitude, &[layer.gradients()?])
}
