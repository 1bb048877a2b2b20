//! Grad-CAM element by element: pytorch-grad-cam.

use super::method::{Layer, Row};
use crate::graph::{Graph, GraphError, NodeId, Op, Term};

pub const ROW: Row = Row { name: "gradcam-elementwise", raw, ..Row::USUAL };

/// `Σ_k max(G_k ∘ A_k, 0)`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::WeightedSum(Term::PositiveProduct), &[layer.activations, layer.gradients()?])
}
