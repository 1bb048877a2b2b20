//! Score-CAM: Wang et al., arXiv 1910.01279.

use super::method::{At, Layer, Row};
use super::sampling::{Masked, Passes};
use crate::graph::{Graph, GraphError, NodeId, Op, Term};

pub const ROW: Row =
    Row { name: "scorecam", at: At::Layers, rule: None, passes: Passes::Masked(Masked::ThroughChannel), raw };

/// `Σ_k softmax_k(score of the image seen through A_k) · A_k`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, layer.gradients()?])
}
