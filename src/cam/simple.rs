//! Maps that several methods make, of different gradients.

use super::fusion::Fusion;
use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Arithmetic, Graph, GraphError, NodeId, Op, Rule, Term};

impl Row {
    /// A method that sums gradients times activations.
    pub const USUAL: Self = Self {
        name: "",
        at: At::Layers,
        rule: Some(Rule::Standard),
        passes: Passes::One,
        raw: product,
        fusion: Fusion::Mean,
    };
}

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

/// What the passes give, if that is a map already.
///
/// # Errors
/// [`GraphError::Shape`] if there is nothing.
pub fn given(_: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    layer.gradients()
}

/// A feature map less the mean of each channel.
///
/// # Errors
/// None for a feature map.
pub fn centred(graph: &mut Graph, x: NodeId) -> Result<NodeId, GraphError> {
    let mean = graph.push(Op::Mean, &[x])?;
    let less = graph.scaled(mean, -1.0, 0.0)?;
    graph.push(Op::Broadcast(Arithmetic::Add), &[x, less])
}

/// A feature map less the mean of each channel, and the channels' variances.
///
/// # Errors
/// None for a feature map.
pub fn spread(graph: &mut Graph, x: NodeId) -> Result<(NodeId, NodeId), GraphError> {
    let centred = centred(graph, x)?;
    let square = graph.push(Op::Broadcast(Arithmetic::Multiply), &[centred, centred])?;
    Ok((centred, graph.push(Op::Mean, &[square])?))
}
