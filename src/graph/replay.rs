//! A part of a graph once more, for another value.

use super::{Graph, GraphError, NodeId, Op};

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
            let inputs: Vec<NodeId> = node.inputs.iter().map(|&input| new[input].unwrap_or(input)).collect();
            new[id] = Some(match node.op.clone() {
                // Of what is there once and what is there for each of several images.
                Op::Add => graph.added(inputs[0], inputs[1])?,
                op => graph.push(op, &inputs)?,
            });
        }
    }
    to.iter().map(|&to| new[to].ok_or(GraphError::NoPath(from))).collect()
}
