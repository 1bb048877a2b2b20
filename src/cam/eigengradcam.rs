//! Eigen-CAM of what speaks for a class: pytorch-grad-cam's EigenGradCAM.

use super::method::{At, Layer, Row};
use super::principal::principal;
use super::sampling::Passes;
use crate::graph::{Arithmetic, Graph, GraphError, NodeId, Op, Rule};

pub const ROW: Row = Row { name: "eigengradcam", at: At::Layers, rule: Some(Rule::Standard), passes: Passes::One, raw };

/// The first principal component of `G ∘ A`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let product = graph.push(Op::Broadcast(Arithmetic::Multiply), &[layer.gradients()?, layer.activations])?;
    principal(graph, product)
}
