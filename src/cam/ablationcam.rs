//! Ablation-CAM: Desai and Ramaswamy, WACV 2020.

use super::method::{At, Layer, Row};
use super::sampling::{Masked, Passes};
use crate::graph::{Graph, GraphError, NodeId, Op, Term};

pub const ROW: Row =
    Row { name: "ablationcam", at: At::Layers, rule: None, passes: Passes::Masked(Masked::WithoutChannel), raw };

/// `Σ_k (1 − score without A_k / score) · A_k`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, layer.gradients()?])
}
