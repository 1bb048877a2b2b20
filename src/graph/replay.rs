//! A part of a graph once more, for another value.

use super::{Arithmetic, Graph, GraphError, NodeId, Op};

/// Appends once more what lies between node `from` and the nodes `to`, with `value` in place of `from`, and returns the new `to`.
/// `value` may have several images for each of the old ones.
///
/// # Errors
/// [`GraphError::NoPath`] if one of `to` does not depend on `from`, [`GraphError::Shape`] if another way from the images to `to` goes
/// around `from` and does not fit to more images.
pub fn replay(graph: &mut Graph, from: NodeId, to: &[NodeId], value: NodeId) -> Result<Vec<NodeId>, GraphError> {
    let last = to.iter().copied().fold(from, usize::max);
    let mut new: Vec<Option<NodeId>> = vec![None; last + 1];
    new[from] = Some(value);
    for id in from + 1..=last {
        let node = &graph.nodes[id];
        if node.inputs.iter().any(|&input| new[input].is_some()) {
            let mut inputs: Vec<NodeId> = node.inputs.iter().map(|&input| new[input].unwrap_or(input)).collect();
            let mut op = node.op.clone();
            let images = |id: NodeId| graph.shape(id)[0];
            // A sum of what is there once and what is there for each of several images.
            if op == Op::Add && images(inputs[0]) != images(inputs[1]) {
                op = Op::Broadcast(Arithmetic::Add);
                inputs.sort_by_key(|&input| std::cmp::Reverse(images(input)));
            }
            new[id] = Some(graph.push(op, &inputs)?);
        }
    }
    to.iter().map(|&to| new[to].ok_or(GraphError::NoPath(from))).collect()
}
