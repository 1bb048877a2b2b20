//! LayerCAM: Jiang et al., IEEE TIP 2021.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule, Term};

pub const ROW: Row = Row { name: "layercam", at: At::Layers, rule: Some(Rule::Standard), passes: Passes::One, raw };

/// `Σ_k max(G_k, 0) ∘ A_k`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::WeightedSum(Term::PositiveWeight), &[layer.activations, layer.gradients()?])
}
