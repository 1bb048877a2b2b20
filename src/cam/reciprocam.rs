//! Recipro-CAM: Byun and Lee, arXiv 2209.14074, with single pixels in place of the paper's Gaussian spots.

use super::method::{Layer, Row};
use super::principal::as_map;
use super::sampling::{Masked, Passes};
use crate::graph::{Graph, GraphError, NodeId};

pub const ROW: Row =
    Row { name: "recipro-cam", rule: None, passes: Passes::Masked(Masked::OnePixel), raw, ..Row::USUAL };

/// At each pixel the score of a layer of which nothing else is left.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let [_, _, h, w] = graph.shape(layer.activations);
    as_map(graph, layer.gradients()?, [h, w])
}
