//! Grad-CAM++: Chattopadhay et al., arXiv 1710.11063, as pytorch-grad-cam computes it.

use super::method::{Layer, Row};
use crate::graph::{Activation, Arithmetic, Graph, GraphError, NodeId, Op, Term, Weighing};

pub const ROW: Row = Row { name: "gradcam++", raw, ..Row::USUAL };

/// `Σ_k w_k · A_k` with `w_k = Σ_p max(G_k, 0) · G_k²`: what TorchCAM computes. Its formula also divides, but its code divides a
/// copy.
pub const TORCHCAM: Row = Row { raw: of_torchcam, ..ROW };

/// As the method's own, without `eps`, and with weights divided by the sum of `G_k² / (2 G_k² + G_k³ · Σ A_k)`.
pub const TF_KERAS_VIS: Row = Row { raw: of_tf_keras_vis, ..ROW };

/// pytorch-grad-cam's. It is no small number beside the squares of gradients, so it shapes the map.
const EPS: f32 = 1e-6;

/// `Σ_k w_k · A_k` with `w_k = Σ_p max(G_k, 0) · G_k² / (2 G_k² + G_k³ · Σ A_k + eps)`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let weighing = Op::ChannelWeights { weighing: Weighing::PlusPlus, eps: EPS };
    let weights = graph.push(weighing, &[layer.activations, layer.gradients()?])?;
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, weights])
}

fn of_torchcam(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let gradients = layer.gradients()?;
    let positive = graph.push(Op::Activate(Activation::Relu), &[gradients])?;
    let square = graph.push(Op::Broadcast(Arithmetic::Multiply), &[gradients, gradients])?;
    let weights = graph.push(Op::GateGrad, &[square, positive])?;
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, weights])
}

fn of_tf_keras_vis(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let (a, gradients) = (layer.activations, layer.gradients()?);
    let [_, _, h, w] = graph.shape(a);
    // α = 1 / (2 + G · Σ A)
    let mean = graph.push(Op::Mean, &[a])?;
    let sum = graph.scaled(mean, (h * w) as f32, 0.0)?;
    let product = graph.push(Op::Broadcast(Arithmetic::Multiply), &[gradients, sum])?;
    let divisor = graph.scaled(product, 1.0, 2.0)?;
    let alpha = graph.push(Op::Activate(Activation::Reciprocal), &[divisor])?;
    // 0 where the gradient is.
    let strength = graph.push(Op::Activate(Activation::Abs), &[gradients])?;
    let alpha = graph.push(Op::ActivateGrad(Activation::Relu), &[alpha, strength])?;
    let positive = graph.push(Op::Activate(Activation::Relu), &[gradients])?;
    let weights = graph.push(Op::GateGrad, &[alpha, positive])?;
    let mean = graph.push(Op::Mean, &[alpha])?;
    let all = graph.scaled(mean, (h * w) as f32, 0.0)?;
    let all = graph.scaled(all, 1.0, 1e-30)?;
    let share = graph.push(Op::Activate(Activation::Reciprocal), &[all])?;
    let weights = graph.push(Op::Broadcast(Arithmetic::Multiply), &[weights, share])?;
    graph.push(Op::WeightedSum(Term::Product), &[a, weights])
}
