//! Shorter ways to the same numbers.

use super::{ClassWeights, Graph, NodeId, Op};

/// The gradient of a linear layer for a single logit is a row of its weight: `wᵀ · one-hot = w[class]`; and the mean
/// over space of a gradient that was spread over it is that gradient divided by the extent. So the whole backward pass
/// of a head of pooling and classifier is one node instead of four.
pub fn simplify(graph: &mut Graph) {
    for id in 0..graph.nodes.len() {
        match graph.nodes[id].op.clone() {
            Op::LinearGrad { linear, input } => {
                let seed = graph.nodes[id].inputs[0];
                if let Op::Seed { requests, maps, .. } = graph.nodes[seed].op {
                    let class = ClassWeights { linear, input, requests, maps, scale: 1.0 };
                    replace(graph, id, class, graph.nodes[seed].inputs[0]);
                }
            }
            Op::Mean => {
                let spread = graph.nodes[id].inputs[0];
                let Op::MeanGrad { input: [h, w] } = graph.nodes[spread].op else { continue };
                let row = graph.nodes[spread].inputs[0];
                if let Op::ClassWeights(class) = graph.nodes[row].op.clone() {
                    let class = ClassWeights { scale: class.scale / (h * w) as f32, ..class };
                    replace(graph, id, class, graph.nodes[row].inputs[0]);
                }
            }
            _ => {}
        }
    }
}

fn replace(graph: &mut Graph, id: NodeId, class: ClassWeights, records: NodeId) {
    graph.nodes[id].op = Op::ClassWeights(class);
    graph.nodes[id].inputs = vec![records];
}
