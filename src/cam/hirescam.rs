//! HiResCAM: Draelos and Carin, arXiv 2011.08891.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule, Term};

pub const ROW: Row = Row { name: "hirescam", at: At::Layers, rule: Some(Rule::Standard), passes: Passes::One, raw };

/// `Σ_k G_k ∘ A_k`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, layer.gradients()?])
}
