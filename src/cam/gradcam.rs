//! Grad-CAM: Selvaraju et al., arXiv 1610.02391.

use super::method::{Layer, Row};
use crate::graph::{Graph, GraphError, NodeId, Op, Term, gradient_mean};

pub const ROW: Row = Row { name: "gradcam", raw, ..Row::USUAL };

/// `Σ_k mean(G_k) · A_k`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let weights = gradient_mean(graph, layer.gradients()?)?;
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, weights])
}
