//! Seg-Eigen-CAM: Chung and Ying, Applied Sciences 15(13), 2025.

use super::method::{Layer, Row};
use super::principal::principal;
use crate::graph::{Activation, Arithmetic, Graph, GraphError, NodeId, Op};

pub const ROW: Row = Row { name: "seg-eigen-cam", raw, ..Row::USUAL };

/// The first principal component of `|G| ∘ A`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let strength = graph.push(Op::Activate(Activation::Abs), &[layer.gradients()?])?;
    let product = graph.push(Op::Broadcast(Arithmetic::Multiply), &[strength, layer.activations])?;
    principal(graph, product)
}
