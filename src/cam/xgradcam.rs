//! XGrad-CAM: Fu et al., arXiv 2008.02312.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule, Term, Weighing};

pub const ROW: Row = Row { name: "xgradcam", at: At::Layers, rule: Some(Rule::Standard), passes: Passes::One, raw };

/// pytorch-grad-cam's.
const EPS: f32 = 1e-7;

/// `Σ_k w_k · A_k` with `w_k = Σ_p G_k · A_k / (Σ_p A_k + eps)`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let weighing = Op::ChannelWeights { weighing: Weighing::Share, eps: EPS };
    let weights = graph.push(weighing, &[layer.activations, layer.gradients()?])?;
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, weights])
}
