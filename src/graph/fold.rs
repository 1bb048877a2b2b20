//! Folds batch norms into the convolutions before them.

use std::sync::Arc;

use super::{Graph, NodeId, Op, Param};

/// Replaces every `ScaleShift` that alone reads a convolution by that convolution with scaled weights:
/// `s · (W∗x + b) + t = (s·W)∗x + (s·b + t)`. Convolutions in `keep` stay as they are, because their own
/// output is asked for.
pub fn fold(graph: &mut Graph, keep: &[NodeId]) {
    let mut readers = vec![0; graph.nodes.len()];
    graph.nodes.iter().flat_map(|n| &n.inputs).for_each(|&i| readers[i] += 1);
    for id in 0..graph.nodes.len() {
        let Op::ScaleShift { scale, shift: Some(shift) } = graph.nodes[id].op else { continue };
        let before = graph.nodes[id].inputs[0];
        let Op::Conv2d(conv) = graph.nodes[before].op.clone() else { continue };
        if readers[before] > 1 || keep.contains(&before) {
            continue;
        }
        let (weight, scale, shift) = (&graph.params[conv.weight], &graph.params[scale], &graph.params[shift]);
        let folded = Param {
            name: format!("{} × {}", weight.name, scale.name),
            row_scale: Some(scale.values.clone()),
            ..weight.clone()
        };
        let bias: Arc<[f32]> = match conv.bias.map(|b| &graph.params[b]) {
            None => shift.values.clone(),
            Some(bias) => {
                let scaled = bias.values.iter().zip(scale.values.iter()).map(|(b, s)| b * s);
                scaled.zip(shift.values.iter()).map(|(b, t)| b + t).collect()
            }
        };
        let bias = Param::new(format!("{} folded", shift.name), shift.shape.clone(), bias);
        let op = super::Conv2d { weight: graph.param(folded), bias: Some(graph.param(bias)), ..conv };
        graph.nodes[id].inputs = graph.nodes[before].inputs.clone();
        graph.nodes[id].op = Op::Conv2d(op);
    }
}
