//! Shorter backward passes where the gradient begins at a single logit per map: only the class's row of the
//! classifier's weight is needed.

use super::{ClassWeights, Conv2d, Graph, GraphError, Linear, NodeId, Op};

/// The gradient `dx` of a linear layer whose input was `[c,h,w]`. If `dy` is a seed, `dx` is one row of the weight:
/// `wᵀ · one-hot = w[class]`.
pub fn linear_grad(graph: &mut Graph, linear: Linear, input: [usize; 3], dy: NodeId) -> Result<NodeId, GraphError> {
    match graph.nodes[dy].op {
        Op::Seed { requests, maps, .. } => {
            let class = ClassWeights { linear, input, requests, maps, scale: 1.0 };
            graph.push(Op::ClassWeights(class), &[graph.nodes[dy].inputs[0]])
        }
        _ => graph.push(Op::LinearGrad { linear, input }, &[dy]),
    }
}

/// The gradient `dx` of a convolution whose input had `c` channels of extent `input`. If scores come from a 1×1
/// convolution and a pool, as in SqueezeNet, only the class's channel has a gradient. `dx` is then an outer product.
pub fn conv_grad(
    graph: &mut Graph,
    conv: Conv2d,
    c: usize,
    input: [usize; 2],
    dy: NodeId,
) -> Result<NodeId, GraphError> {
    match seed_of_channels(graph, dy).filter(|_| conv.is_pointwise()).map(|seed| graph.nodes[seed].clone()) {
        Some(seed) => {
            let Op::Seed { requests, maps, .. } = seed.op else { unreachable!("a seed was sought") };
            let linear = Linear { weight: conv.weight, bias: None, out_features: conv.out_channels };
            let class = ClassWeights { linear, input: [c, 1, 1], requests, maps, scale: 1.0 };
            let weights = graph.push(Op::ClassWeights(class), &seed.inputs)?;
            graph.push(Op::ClassOuter { requests, maps }, &[weights, dy, seed.inputs[0]])
        }
        None => graph.push(Op::Conv2dGrad { conv, input, in_channels: c }, &[dy]),
    }
}

/// The mean over space of a gradient.
///
/// A gradient that was spread over space, as below a head of pooling and classifier, has as its mean the gradient
/// before the spread divided by the extent. The head's whole backward pass is then one node. The mean of an outer
/// product is the product with the mean.
///
/// # Errors
/// [`GraphError::Shape`] if the gradient is not a feature map.
pub fn gradient_mean(graph: &mut Graph, gradient: NodeId) -> Result<NodeId, GraphError> {
    if let Op::MeanGrad { input: [h, w] } = graph.nodes[gradient].op {
        let row = graph.nodes[graph.nodes[gradient].inputs[0]].clone();
        if let Op::ClassWeights(class) = row.op {
            let class = ClassWeights { scale: class.scale / (h * w) as f32, ..class };
            return graph.push(Op::ClassWeights(class), &row.inputs);
        }
    }
    if let Op::ClassOuter { .. } = graph.nodes[gradient].op {
        let [weights, dy, records] = graph.nodes[gradient].inputs[..] else { unreachable!("it has three operands") };
        let mean = graph.push(Op::Mean, &[dy])?;
        return graph.push(graph.nodes[gradient].op.clone(), &[weights, mean, records]);
    }
    graph.push(Op::Mean, &[gradient])
}

/// The seed that a gradient comes from, if all nodes between keep channels separate.
fn seed_of_channels(graph: &Graph, dy: NodeId) -> Option<NodeId> {
    match graph.nodes[dy].op {
        Op::Seed { .. } => Some(dy),
        Op::MeanGrad { .. } | Op::ActivateGrad(_) | Op::Pool2dGrad(_) | Op::AdaptivePoolGrad { .. } => {
            seed_of_channels(graph, graph.nodes[dy].inputs[0])
        }
        _ => None,
    }
}
