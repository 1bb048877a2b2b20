//! FEM: Fuad et al., IPTA 2020.

use super::method::{Layer, Row};
use super::simple::spread;
use crate::graph::{Activation, Arithmetic, Graph, GraphError, NodeId, Op, Term};

pub const ROW: Row = Row { name: "fem", rule: None, raw, ..Row::USUAL };

/// `Σ_k w_k · A_k`, where `w_k` is the part of a channel's pixels that exceed its mean by two standard deviations. It is the same
/// for all classes.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let (centred, variance) = spread(graph, layer.activations)?;
    let deviation = graph.push(Op::Activate(Activation::Sqrt), &[variance])?;
    let less = graph.scaled(deviation, -2.0, 0.0)?;
    let beyond = graph.push(Op::Broadcast(Arithmetic::Add), &[centred, less])?;
    // The derivative of a ReLU is 1 where its operand is positive.
    let ones = graph.scaled(beyond, 0.0, 1.0)?;
    let is_beyond = graph.push(Op::ActivateGrad(Activation::Relu), &[ones, beyond])?;
    let weights = graph.push(Op::Mean, &[is_beyond])?;
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, weights])
}
