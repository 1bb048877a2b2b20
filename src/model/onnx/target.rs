//! The layer that is explained where the caller names none.

use super::super::blueprint::Appended;
use crate::graph::{Graph, NodeId, Op};

/// The name of the last feature map that the class scores see rows and columns of.
pub fn default_layer(Appended { graph, logits, modules, aliases, .. }: &Appended) -> String {
    let mut node = node(graph, *logits);
    let named = |node: NodeId| {
        let mut all = modules.iter().chain(aliases);
        all.find(|(_, id)| *id == node).map(|(name, _)| name.clone())
    };
    // Some results are part of others, and have no name left.
    while named(node).is_none()
        && let Some(before) = graph.nodes[node].inputs.first()
    {
        node = *before;
    }
    let is_module = |node: &NodeId| modules.iter().any(|(_, id)| id == node);
    // A function or a part of a result outside any module: the module before it, as PyTorch's users name it.
    let before = |node: &NodeId| match graph.nodes[*node].op {
        Op::Activate(_) | Op::Rearrange(_) | Op::Slice { .. } | Op::ScaleShift { .. } => {
            Some(graph.nodes[*node].inputs[0])
        }
        _ => None,
    };
    let module = std::iter::successors(Some(node), before).take(4).find(is_module);
    named(module.unwrap_or(node)).unwrap_or_default()
}

fn node(graph: &Graph, logits: NodeId) -> NodeId {
    let plane = |id: NodeId| graph.shape(id)[2] * graph.shape(id)[3];
    // The operand that depends on the image.
    let needed =
        |id: NodeId| graph.needed(&[id]).iter().zip(&graph.nodes).any(|(needed, node)| *needed && node.op == Op::Input);
    let before = |id: NodeId| graph.nodes[id].inputs.iter().copied().find(|input| needed(*input));
    let (mut at, mut is_trained) = (logits, false);
    // Up through the classifier, to where rows and columns disappear.
    let mut found = loop {
        let Some(input) = before(at) else { return logits };
        is_trained |= matches!(graph.nodes[at].op, Op::Linear(_) | Op::Conv2d(_)) && plane(at) == 1;
        // By the operation, since of a small image a single pixel may be left.
        let pools = matches!(graph.nodes[at].op, Op::Mean | Op::Pool2d(_));
        if plane(at) == 1 && (pools || plane(input) > 1) {
            break input;
        }
        at = input;
    };
    let is_slice =
        matches!(graph.nodes[at].op, Op::Rearrange(ref moves) if moves.digits.iter().all(|digit| digit.to.is_some()));
    if is_slice {
        // The class's own token: the other tokens count for it only up to the last attention.
        let softmax = (0..found).rev().find(|id| graph.nodes[*id].op == Op::Softmax);
        let norm = |end: NodeId| (0..end).rev().find(|id| matches!(graph.nodes[*id].op, Op::LayerNorm(_)));
        return softmax.and_then(norm).unwrap_or(found);
    }
    // Scores that are pooled have their classifier before the pool: a convolution.
    while !is_trained {
        let Some(input) =
            before(found).filter(|input| !matches!(graph.nodes[*input].op, Op::Pack | Op::Normalise { .. }))
        else {
            break;
        };
        is_trained = matches!(graph.nodes[found].op, Op::Conv2d(_));
        found = input;
    }
    found
}
