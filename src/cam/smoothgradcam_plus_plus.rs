//! Smooth Grad-CAM++: Omeiza et al., arXiv 1908.01224.

use super::method::{Layer, Row};
use super::sampling::{Moment, Passes};
use crate::graph::{Activation, Arithmetic, Graph, GraphError, NodeId, Op, Term};

pub const ROW: Row = Row { name: "smoothgradcam++", passes: Passes::Noise(Moment::Powers), raw, ..Row::USUAL };

/// TorchCAM's.
const EPS: f32 = 1e-8;

/// Grad-CAM++ with means over images with noise: `Σ_k w_k · A_k` with
/// `w_k = Σ_p max(E[G], 0) · E[G²] / (2 E[G²] + Σ (E[G³] · A_k) + eps)`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let (a, powers) = (layer.activations, layer.gradients()?);
    let c = graph.shape(a)[1];
    let mut power = |i: usize| graph.push(Op::Slice { start: i * c, channels: c }, &[powers]);
    let [first, second, third] = [power(0)?, power(1)?, power(2)?];
    let of_third = graph.push(Op::GateGrad, &[third, a])?;
    let beside = graph.scaled(of_third, 1.0, EPS)?;
    let twice = graph.scaled(second, 2.0, 0.0)?;
    let divisor = graph.push(Op::Broadcast(Arithmetic::Add), &[twice, beside])?;
    let inverse = graph.push(Op::Activate(Activation::Reciprocal), &[divisor])?;
    let alpha = graph.push(Op::Broadcast(Arithmetic::Multiply), &[second, inverse])?;
    let positive = graph.push(Op::Activate(Activation::Relu), &[first])?;
    let weights = graph.push(Op::GateGrad, &[alpha, positive])?;
    graph.push(Op::WeightedSum(Term::Product), &[a, weights])
}
