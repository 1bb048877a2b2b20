//! Integrated gradients: Sundararajan et al., arXiv 1703.01365.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule, Term};

pub const ROW: Row =
    Row { name: "integrated-gradients", at: At::Pixels, rule: Some(Rule::Standard), passes: Passes::Path, raw };

/// `Σ_k x_k ∘ mean G_k` over the image's channels, where the mean is over the straight way from the mean colour to the image.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, layer.gradients()?])
}
