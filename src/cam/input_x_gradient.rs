//! Input × gradient: Shrikumar et al., arXiv 1605.01713.

use super::method::{At, Layer, Row};
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Op, Rule, Term};

pub const ROW: Row = Row { name: "input-x-gradient", at: At::Pixels, rule: Some(Rule::Standard), passes: Passes::One, raw };

/// `Σ_k G_k ∘ x_k` over the image's channels, where `x` is the normalised image.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    graph.push(Op::WeightedSum(Term::Product), &[layer.activations, layer.gradients()?])
}
