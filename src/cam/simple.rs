//! Maps that several methods make, of different gradients.

use super::method::Layer;
use crate::graph::{Graph, GraphError, NodeId, Op, Term};

/// `Σ_k G_k · A_k`, where `G` is a number for each pixel or for each channel.
///
/// # Errors
/// [`GraphError::Shape`] if there are no gradients, or they do not fit.
pub fn product(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, layer.gradients()?])
}

/// `max_k |G_k|`.
///
/// # Errors
/// [`GraphError::Shape`] if there are no gradients.
pub fn magnitude(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::Magnitude, &[layer.gradients()?])
}
