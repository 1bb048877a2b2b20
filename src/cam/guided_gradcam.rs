//! Guided Grad-CAM: Selvaraju et al., arXiv 1610.02391.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use super::simple::magnitude;
use crate::graph::{Arithmetic, Graph, GraphError, NodeId, Op};

pub const ROW: Row =
    Row { name: "guided-gradcam", at: At::Pixels, rule: None, passes: Passes::UnderGradCam, raw, ..Row::USUAL };

/// Grad-CAM's heat map at the input's size, times guided backpropagation's `max_k |G_k|`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let magnitude = magnitude(graph, layer)?;
    graph.push(Op::Broadcast(Arithmetic::Multiply), &[magnitude, layer.activations])
}
