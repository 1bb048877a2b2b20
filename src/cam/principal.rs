//! The first principal component of a feature map, whose pixels are the samples and whose channels are the features.

use super::simple::centred;
use crate::graph::{
    Activation, Arithmetic, Contract, Digit, Form, Graph, GraphError, NodeId, Op, Rearrange, Side, Term,
};

/// `X v`, where `X` has a row for each pixel, less their mean, and `v` is the unit vector along which the rows differ most. Its
/// sign makes the greatest magnitude positive, since the component itself has none.
///
/// # Errors
/// [`GraphError::Shape`] if the feature map has too many pixels and too many channels.
pub fn principal(graph: &mut Graph, x: NodeId) -> Result<NodeId, GraphError> {
    let [_, c, h, w] = graph.shape(x);
    let x = centred(graph, x)?;
    let product = |form| Op::Contract(Contract { form, groups: 1 });
    let map = if h * w <= c {
        // X v = √λ u, where u is the eigenvector of X Xᵀ, a matrix of pixels.
        let gram = graph.push(product(Form::Channels), &[x, x])?;
        let vector = graph.push(Op::Eigenvector { root: true, indefinite: false }, &[gram])?;
        as_map(graph, vector, [h, w])?
    } else {
        // v is the eigenvector of Xᵀ X, a matrix of channels.
        let covariance = graph.push(product(Form::Pixels([1, c])), &[x, x])?;
        let vector = graph.push(Op::Eigenvector { root: false, indefinite: false }, &[covariance])?;
        graph.push(Op::WeightedSum(Term::Product), &[x, vector])?
    };
    oriented(graph, map)
}

/// The first principal component in the space of the kernel `tanh(⟨x, y⟩ / channels + 1)`, with the same sign.
///
/// # Errors
/// [`GraphError::Shape`] if the feature map has too many pixels.
pub fn principal_of_kernel(graph: &mut Graph, x: NodeId) -> Result<NodeId, GraphError> {
    let [_, c, h, w] = graph.shape(x);
    let x = centred(graph, x)?;
    let gram = graph.push(Op::Contract(Contract { form: Form::Channels, groups: 1 }), &[x, x])?;
    let gram = graph.scaled(gram, 1.0 / c as f32, 1.0)?;
    let kernel = graph.push(Op::Activate(Activation::Tanh), &[gram])?;
    // The mean is taken off each row, then off each column. By symmetry the means of rows and columns are the same.
    let mean = graph.push(Op::Mean, &[kernel])?;
    let of_rows = centred(graph, kernel)?;
    let across = as_map(graph, mean, [h, w])?;
    let off = centred(graph, across)?;
    let less = graph.scaled(off, -1.0, 0.0)?;
    let kernel = graph.push(Op::Broadcast(Arithmetic::Add), &[of_rows, less])?;
    // A matrix of hyperbolic tangents may have negative eigenvalues.
    let vector = graph.push(Op::Eigenvector { root: true, indefinite: true }, &[kernel])?;
    let map = as_map(graph, vector, [h, w])?;
    oriented(graph, map)
}

/// The map with the sign that makes its greatest magnitude positive.
fn oriented(graph: &mut Graph, map: NodeId) -> Result<NodeId, GraphError> {
    let range = graph.push(Op::MinMax, &[map])?;
    graph.push(Op::Orient, &[map, range])
}

/// Channels as the pixels of a map.
///
/// # Errors
/// [`GraphError::Shape`] if there are not as many channels as pixels.
pub fn as_map(graph: &mut Graph, x: NodeId, [h, w]: [usize; 2]) -> Result<NodeId, GraphError> {
    let digit = |extent, stride, axis| Digit { extent, from: Some((0, stride)), to: Some((axis, 1)) };
    let digits = [digit(h, w, 1), digit(w, 1, 2)].into_iter().filter(|digit| digit.extent > 1).collect();
    let (from, to) = (Side::whole([h * w, 1, 1]), Side::whole([1, h, w]));
    graph.rearrange(&Rearrange { from, to, digits }, x)
}
