//! Truncated reverse mode: gradients of data from the class scores back to the target layer, and no further.

use super::{Activation, Graph, GraphError, NodeId, Op, Rule, simplify};

/// Appends the backward pass from `output` to each of `targets`, and returns the nodes of their gradients.
///
/// `seed` is the derivative with respect to `output`. `rule` says how gradients pass a ReLU. A target may be as early
/// as the features made from the images. Only nodes on the paths between `output` and `targets` are computed, and
/// there are no weight gradients.
///
/// # Errors
/// [`GraphError::NoPath`] if `output` does not depend on a target, [`GraphError::NoGradient`] if an operation on the
/// path has no backward pass.
pub fn gradients(
    graph: &mut Graph,
    output: NodeId,
    seed: NodeId,
    targets: &[NodeId],
    rule: Rule,
) -> Result<Vec<NodeId>, GraphError> {
    let mut on_path = vec![false; output + 1];
    for id in 0..=output {
        on_path[id] = targets.contains(&id) || graph.nodes[id].inputs.iter().any(|&i| on_path[i]);
    }
    let mut grads: Vec<Option<NodeId>> = vec![None; output + 1];
    grads[output] = Some(seed);
    for id in (0..=output).rev() {
        let Some(dy) = grads[id] else { continue };
        for operand in 0..graph.nodes[id].inputs.len() {
            let x = graph.nodes[id].inputs[operand];
            if on_path[x] {
                let dx = backward(graph, id, operand, dy, rule)?;
                grads[x] = Some(match grads[x] {
                    None => dx,
                    Some(other) => graph.push(Op::Add, &[other, dx])?,
                });
            }
        }
    }
    targets.iter().map(|&t| grads.get(t).copied().flatten().ok_or(GraphError::NoPath(t))).collect()
}

/// The gradient of one operand of a node, given the gradient `dy` of the node's value.
fn backward(graph: &mut Graph, id: NodeId, operand: usize, dy: NodeId, rule: Rule) -> Result<NodeId, GraphError> {
    let inputs = graph.nodes[id].inputs.clone();
    let x = inputs[operand];
    let [_, c, h, w] = graph.shape(x);
    let input = [h, w];
    match graph.nodes[id].op.clone() {
        Op::Conv2d(conv) => simplify::conv_grad(graph, conv, c, input, dy),
        Op::ScaleShift { scale, .. } => graph.push(Op::ScaleShift { scale, shift: None }, &[dy]),
        Op::Linear(linear) => simplify::linear_grad(graph, linear, [c, h, w], dy),
        Op::Activate(Activation::Relu) if rule != Rule::Standard => {
            let positive = graph.push(Op::Activate(Activation::Relu), &[dy])?;
            match rule {
                Rule::Guided => graph.push(Op::ActivateGrad(Activation::Relu), &[positive, id]),
                _ => Ok(positive),
            }
        }
        Op::Activate(f) => graph.push(Op::ActivateGrad(f), &[dy, if f.saves_output() { id } else { x }]),
        Op::Add => Ok(dy),
        Op::Concat => {
            let start = if operand == 0 { 0 } else { graph.shape(inputs[0])[1] };
            graph.push(Op::Slice { start, channels: c }, &[dy])
        }
        Op::Slice { start, .. } => graph.push(Op::SliceGrad { start, channels: c }, &[dy]),
        Op::Shuffle { groups } => graph.push(Op::Shuffle { groups: c / groups }, &[dy]),
        Op::Gate if operand == 0 => graph.push(Op::Gate, &[dy, inputs[1]]),
        Op::Gate => graph.push(Op::GateGrad, &[dy, inputs[0]]),
        Op::LayerNorm(norm) => graph.push(Op::LayerNormGrad(norm), &[dy, x]),
        Op::Pool2d(pool) => graph.push(Op::Pool2dGrad(pool), &[dy, x]),
        Op::AdaptivePool { .. } => graph.push(Op::AdaptivePoolGrad { from: input }, &[dy]),
        Op::Mean => graph.push(Op::MeanGrad { input }, &[dy]),
        op => Err(GraphError::NoGradient(format!("{op:?}"))),
    }
}
