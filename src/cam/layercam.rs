//! LayerCAM: Jiang et al., IEEE TIP 2021.

use super::method::{Layer, Row};
use crate::graph::{Graph, GraphError, NodeId, Op, Term};

pub const ROW: Row = Row { name: "layercam", raw, ..Row::USUAL };

/// `Σ_k max(G_k, 0) ∘ A_k`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::WeightedSum(Term::PositiveWeight), &[layer.activations, layer.gradients()?])
}
