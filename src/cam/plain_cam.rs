//! CAM: Zhou et al., arXiv 1512.04150.

use super::method::{Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Term, gradient_mean};

pub const ROW: Row = Row { name: "cam", passes: Passes::Classifier, raw, ..Row::USUAL };

/// `Σ_k W_k · A_k` with the class's row `W` of the linear layer that takes the layer's global mean. The gradient of that mean is
/// `W / (h·w)` at each pixel.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let [_, _, h, w] = graph.shape(layer.activations);
    let mean = gradient_mean(graph, layer.gradients()?)?;
    let weights = graph.scaled(mean, (h * w) as f32, 0.0)?;
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, weights])
}
