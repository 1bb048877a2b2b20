//! Grad-CAM element by element: pytorch-grad-cam.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule, Term};

pub const ROW: Row =
    Row { name: "gradcam-elementwise", at: At::Layers, rule: Some(Rule::Standard), passes: Passes::One, raw };

/// `Σ_k max(G_k ∘ A_k, 0)`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::WeightedSum(Term::PositiveProduct), &[layer.activations, layer.gradients()?])
}
