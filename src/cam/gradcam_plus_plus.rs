//! Grad-CAM++: Chattopadhay et al., arXiv 1710.11063, as pytorch-grad-cam computes it.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule, Term, Weighing};

pub const ROW: Row = Row { name: "gradcam++", at: At::Layers, rule: Some(Rule::Standard), passes: Passes::One, raw };

/// pytorch-grad-cam's. It is no small number beside the squares of gradients, so it shapes the map.
const EPS: f32 = 1e-6;

/// `Σ_k w_k · A_k` with `w_k = Σ_p max(G_k, 0) · G_k² / (2 G_k² + G_k³ · Σ A_k + eps)`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let weighing = Op::ChannelWeights { weighing: Weighing::PlusPlus, eps: EPS };
    let weights = graph.push(weighing, &[layer.activations, layer.gradients()?])?;
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, weights])
}
