//! Eigen-CAM of what speaks for a class: pytorch-grad-cam's EigenGradCAM.

use super::method::{Layer, Row};
use super::principal::principal;
use crate::graph::{Arithmetic, Graph, GraphError, NodeId, Op};

pub const ROW: Row = Row { name: "eigengradcam", raw, ..Row::USUAL };

/// The first principal component of `G ∘ A`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let product = graph.push(Op::Broadcast(Arithmetic::Multiply), &[layer.gradients()?, layer.activations])?;
    principal(graph, product)
}
