//! XGrad-CAM: Fu et al., arXiv 2008.02312.

use super::method::{Layer, Row};
use crate::graph::{Graph, GraphError, NodeId, Op, Term, Weighing};

pub const ROW: Row = Row { name: "xgradcam", raw, ..Row::USUAL };

/// With TorchCAM's `eps`, 1e-8.
pub const TORCHCAM: Row = Row { raw: |graph, layer| weighed(graph, layer, 1e-8), ..ROW };

/// With pytorch-grad-cam's `eps`, 1e-7.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    weighed(graph, layer, 1e-7)
}

/// `Σ_k w_k · A_k` with `w_k = Σ_p G_k · A_k / (Σ_p A_k + eps)`.
fn weighed(graph: &mut Graph, layer: &Layer, eps: f32) -> Result<NodeId, GraphError> {
    let weighing = Op::ChannelWeights { weighing: Weighing::Share, eps };
    let weights = graph.push(weighing, &[layer.activations, layer.gradients()?])?;
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, weights])
}
