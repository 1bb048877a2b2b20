//! Full-Grad: Srinivas and Fleuret, arXiv 1905.00780, as pytorch-grad-cam computes it.

use super::fusion::Fusion;
use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Activation, Arithmetic, Graph, GraphError, NodeId, Op, Term};

pub const ROW: Row =
    Row { name: "fullgrad", at: At::Pixels, passes: Passes::Biases, raw, fusion: Fusion::Sum, ..Row::USUAL };

/// pytorch-grad-cam's.
const EPS: f32 = 1e-7;

/// `Σ_k ψ(|G_k ∘ b_k|)` for the image, where `b` is the image, and for each layer with a bias `b`, where `G` is the gradient of its
/// output. `ψ` scales a channel to 0..1.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let product = graph.push(Op::Broadcast(Arithmetic::Multiply), &[layer.gradients()?, layer.activations])?;
    let strength = graph.push(Op::Activate(Activation::Abs), &[product])?;
    let less = graph.scaled(strength, -1.0, 0.0)?;
    let less_least = graph.push(Op::PlaneMax, &[less])?;
    let above = graph.push(Op::Broadcast(Arithmetic::Add), &[strength, less_least])?;
    let span = graph.push(Op::PlaneMax, &[above])?;
    let divisor = graph.scaled(span, 1.0, EPS)?;
    let weights = graph.push(Op::Activate(Activation::Reciprocal), &[divisor])?;
    graph.push(Op::WeightedSum(Term::Product), &[above, weights])
}
