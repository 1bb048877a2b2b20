//! Concatenation without copying: kernels write the operands directly to their place in the result.

use crate::graph::{Graph, NodeId, Op};
use crate::kernels::{View, blocks};

/// Returns the view of each value that can be written among the channels of a concatenation. `written` gives the node
/// whose kernel writes a value, unless that kernel reads a further operand texel by texel.
///
/// The kernel that writes the value must support views: convolutions, pools and concatenations do. So must every other
/// reader: batch norms that were not folded do. Then a dense block, in which each layer reads all earlier ones, is one
/// slot.
pub fn views(graph: &Graph, needed: &[bool], outputs: &[NodeId], written: &[Option<NodeId>]) -> Vec<Option<View>> {
    let mut views: Vec<Option<View>> = vec![None; graph.nodes.len()];
    let mut fits: Vec<bool> = written
        .iter()
        .map(|kernel| kernel.is_some_and(|k| matches!(graph.nodes[k].op, Op::Conv2d(_) | Op::Pool2d(_) | Op::Concat)))
        .collect();
    outputs.iter().for_each(|&o| fits[o] = false);
    let mut joined = vec![false; graph.nodes.len()];
    for node in graph.nodes.iter().zip(needed).filter(|(_, needed)| **needed).map(|(node, _)| node) {
        for &input in &node.inputs {
            // A value in two concatenations would need two views.
            let again = node.op == Op::Concat && std::mem::replace(&mut joined[input], true);
            fits[input] &= matches!(node.op, Op::Concat | Op::ScaleShift { .. }) && !again;
        }
    }
    for id in (0..graph.nodes.len()).rev().filter(|&id| needed[id] && graph.nodes[id].op == Op::Concat) {
        let inputs = &graph.nodes[id].inputs;
        let joint = graph.shape(inputs[0])[1];
        if !joint.is_multiple_of(4) {
            continue;
        }
        let whole = views[id].unwrap_or_else(|| View::whole(id, blocks(graph.shape(id)[1])));
        for (&input, start) in inputs.iter().zip([0, joint / 4]) {
            if fits[input] && views[input].is_none() {
                views[input] = Some(View { first: whole.first + start, ..whole });
            }
        }
    }
    views
}
