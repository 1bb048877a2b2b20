//! The first principal component of a feature map, whose pixels are the samples and whose channels are the features.

use crate::graph::{Arithmetic, Contract, Digit, Form, Graph, GraphError, NodeId, Op, Rearrange, Side, Term};

/// `X v`, where `X` has a row for each pixel, less their mean, and `v` is the unit vector along which the rows differ most. Its
/// sign makes the greatest magnitude positive, since the component itself has none.
///
/// # Errors
/// [`GraphError::Shape`] if the feature map has too many pixels and too many channels.
pub fn principal(graph: &mut Graph, x: NodeId) -> Result<NodeId, GraphError> {
    let [_, c, h, w] = graph.shape(x);
    let mean = graph.push(Op::Mean, &[x])?;
    let less = graph.scaled(mean, -1.0, 0.0)?;
    let x = graph.push(Op::Broadcast(Arithmetic::Add), &[x, less])?;
    let product = |form| Op::Contract(Contract { form, groups: 1 });
    let map = if h * w <= c {
        // X v = √λ u, where u is the eigenvector of X Xᵀ, a matrix of pixels.
        let gram = graph.push(product(Form::Channels), &[x, x])?;
        let vector = graph.push(Op::Eigenvector { root: true }, &[gram])?;
        as_map(graph, vector, [h, w])?
    } else {
        // v is the eigenvector of Xᵀ X, a matrix of channels.
        let covariance = graph.push(product(Form::Pixels([1, c])), &[x, x])?;
        let vector = graph.push(Op::Eigenvector { root: false }, &[covariance])?;
        graph.push(Op::WeightedSum(Term::Product), &[x, vector])?
    };
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
