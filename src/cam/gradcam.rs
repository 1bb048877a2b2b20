//! Grad-CAM: Selvaraju et al., arXiv 1610.02391.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule, Term, gradient_mean};

pub const ROW: Row = Row { name: "gradcam", at: At::Layers, rule: Some(Rule::Standard), passes: Passes::One, raw };

/// `Σ_k mean(G_k) · A_k`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let weights = gradient_mean(graph, layer.gradients()?)?;
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, weights])
}
