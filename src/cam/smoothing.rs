//! Smoother maps: pytorch-grad-cam's `aug_smooth` and `eigen_smooth`.

use super::method::{Layer, Row};
use super::principal::principal;
use crate::graph::{Activation, Arithmetic, Graph, GraphError, NodeId, Op, Term};

/// How maps are made smoother.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Smoothing {
    /// Averages the heat maps of the image and of five more: darker, brighter, and all three mirrored.
    pub augmented: bool,
    /// Takes the first principal component of a layer's channels where a method takes their sum.
    pub eigen: bool,
}

impl Smoothing {
    /// The factors on the normalised image, each with and without mirroring.
    pub(crate) const FACTORS: [f32; 3] = [1.0, 0.9, 1.1];

    /// Sets whether the heat maps of further images are averaged.
    #[must_use]
    pub fn augmented(self, augmented: bool) -> Self {
        Self { augmented, ..self }
    }

    /// Sets whether a principal component takes the place of the sum.
    #[must_use]
    pub fn eigen(self, eigen: bool) -> Self {
        Self { eigen, ..self }
    }
}

/// A layer's raw map. With `eigen` the first principal component of what its last node adds, if that is a sum over channels.
///
/// # Errors
/// [`GraphError::Shape`] if the operands do not fit.
pub fn raw(graph: &mut Graph, row: &Row, layer: &Layer, eigen: bool) -> Result<NodeId, GraphError> {
    let raw = (row.raw)(graph, layer)?;
    let (Op::WeightedSum(term), [a, weights]) = (&graph.nodes[raw].op, &graph.nodes[raw].inputs[..]) else {
        return Ok(raw);
    };
    if !eigen {
        return Ok(raw);
    }
    let (term, a, mut weights) = (*term, *a, *weights);
    if term == Term::PositiveWeight {
        weights = graph.push(Op::Activate(Activation::Relu), &[weights])?;
    }
    let [_, c, h, w] = graph.shape(a);
    if graph.shape(weights)[2..] == [1, 1] {
        weights = graph.repeated(weights, [c, h, w])?;
    }
    let mut product = graph.push(Op::Broadcast(Arithmetic::Multiply), &[weights, a])?;
    if term == Term::PositiveProduct {
        product = graph.push(Op::Activate(Activation::Relu), &[product])?;
    }
    principal(graph, product)
}
