//! Truncated reverse mode: gradients of data from the class scores back to the target layer, and no further.

use super::{
    Activation, Arithmetic, Contract, Conv2d, Digit, Form, Graph, GraphError, NodeId, Op, Rearrange, Rule, Side,
    simplify,
};

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
        Op::Conv2dGrad { conv, .. } => graph.push(Op::Conv2d(Conv2d { bias: None, ..conv }), &[dy]),
        Op::Rearrange(moves) => graph.rearrange(&moves.transposed(), dy),
        Op::Broadcast(Arithmetic::Add) if operand == 0 => Ok(dy),
        Op::Broadcast(Arithmetic::Add) => sum_to(graph, dy, x),
        Op::Broadcast(op) if operand == 0 => graph.push(Op::Broadcast(op), &[dy, inputs[1]]),
        Op::Broadcast(_) if input == [1, 1] && graph.shape(inputs[0])[1] == c => {
            graph.push(Op::GateGrad, &[dy, inputs[0]])
        }
        Op::Broadcast(op) => {
            let product = graph.push(Op::Broadcast(op), &[dy, inputs[0]])?;
            sum_to(graph, product, x)
        }
        Op::Contract(Contract { form, groups }) => {
            let (a, b) = (inputs[0], inputs[1]);
            let (form, operands) = match (form, operand) {
                (Form::Channels, 0) => (Form::Across, [dy, b]),
                (Form::Channels, _) => (Form::Pixels(input), [a, dy]),
                (Form::Across, 0) => (Form::Channels, [dy, b]),
                (Form::Across, _) => (Form::Pixels(input), [dy, a]),
                (Form::Pixels(_), 0) => (Form::Across, [b, dy]),
                (Form::Pixels(_), _) => (Form::Channels, [a, dy]),
            };
            graph.push(Op::Contract(Contract { form, groups }), &operands)
        }
        Op::Softmax => graph.push(Op::SoftmaxGrad, &[dy, id]),
        op => Err(GraphError::NoGradient(format!("{op:?}"))),
    }
}

/// `dy` summed over the axes along which the value `x` was repeated.
fn sum_to(graph: &mut Graph, dy: NodeId, x: NodeId) -> Result<NodeId, GraphError> {
    let ([_, c, h, w], [_, xc, xh, xw]) = (graph.shape(dy), graph.shape(x));
    let (from, to) = ([c, h, w], [xc, xh, xw]);
    if from == to {
        return Ok(dy);
    }
    if to[1..] == [1, 1] && h * w > 1 {
        // The mean is computed by several invocations together.
        let mean = graph.push(Op::Mean, &[dy])?;
        let sum = graph.scaled(mean, (h * w) as f32, 0.0)?;
        return sum_to(graph, sum, x);
    }
    let digit = |axis: usize| Digit {
        extent: from[axis],
        from: Some((axis, 1)),
        to: (to[axis] == from[axis]).then_some((axis, 1)),
    };
    let digits = (0..3).filter(|axis| from[*axis] > 1).map(digit).collect();
    graph.rearrange(&Rearrange { from: Side::whole(from), to: Side::whole(to), digits }, dy)
}
