//! Convolutions and pools.

use super::super::file::Node;
use super::super::lower::{Lowering, Operands, Value, constant, value, weights};
use super::elementwise;
use crate::graph::{Conv2d, NodeId, Op, Pool2d, PoolKind, Window};

type Result<T = Vec<Value>> = std::result::Result<T, String>;

/// The window of an operator over rows and columns, or over columns only.
fn window(node: &Node, kernel: &[usize], input: [usize; 2]) -> Result<Window> {
    let axes = kernel.len();
    if !(1..=2).contains(&axes) || kernel.contains(&0) {
        return Err(format!("has a kernel of {kernel:?}; one or two axes are supported"));
    }
    let list = |name: &str, len: usize, default: usize| -> Result<Vec<usize>> {
        let Some(numbers) = node.ints(name) else { return Ok(vec![default; len]) };
        let numbers: Option<Vec<usize>> = numbers.iter().map(|n| usize::try_from(*n).ok()).collect();
        numbers.filter(|numbers| numbers.len() == len).ok_or_else(|| format!("has {name} that do not fit"))
    };
    let (strides, dilations, pads) =
        (list("strides", axes, 1)?, list("dilations", axes, 1)?, list("pads", 2 * axes, 0)?);
    if strides.contains(&0)
        || dilations.contains(&0)
        || pads.iter().chain(&strides).chain(&dilations).any(|n| *n > 1 << 16)
    {
        return Err("has strides, dilations or pads that make no sense".into());
    }
    let mut window = Window::square(1, 1, 0);
    for (own, axis) in (2 - axes..2).enumerate() {
        window.kernel[axis] = kernel[own];
        window.stride[axis] = strides[own];
        window.dilation[axis] = dilations[own];
        let (start, end) = match node.text("auto_pad") {
            "" | "NOTSET" => (pads[own], pads[own + axes]),
            "VALID" => (0, 0),
            same @ ("SAME_UPPER" | "SAME_LOWER") => {
                let outputs = input[axis].div_ceil(strides[own]);
                let reach = (kernel[own] - 1) * dilations[own] + 1;
                let total = ((outputs - 1) * strides[own] + reach).saturating_sub(input[axis]);
                let less = total / 2;
                if same == "SAME_UPPER" { (less, total - less) } else { (total - less, less) }
            }
            other => return Err(format!("has the auto_pad {other}")),
        };
        (window.pad_start[axis], window.pad_end[axis]) = (start, end);
    }
    Ok(window)
}

/// A feature map that is another with a border of zeros, if a node makes it so: the other, and the border.
fn bordered(l: &Lowering, node: NodeId) -> Option<(NodeId, [usize; 2], [usize; 2])> {
    let Op::Rearrange(moves) = &l.graph.nodes[node].op else { return None };
    let (from, to) = (&moves.from, &moves.to);
    let stays = moves.digits.iter().all(|digit| digit.from == digit.to);
    let whole = from.extents.iter().filter(|extent| **extent > 1).count() == moves.digits.len();
    let alike = from.extents[0] == to.extents[0] && from.start == [0; 3];
    let border = |axis: usize| (to.start[axis], to.extents[axis].checked_sub(to.start[axis] + from.extents[axis]));
    let ((top, bottom), (left, right)) = (border(1), border(2));
    (stays && whole && alike).then_some((l.graph.nodes[node].inputs[0], [top, left], [bottom?, right?]))
}

fn is_vector(dims: &[usize], len: usize) -> bool {
    dims.iter().product::<usize>() == len
}

/// A convolution over rows and columns, or over columns only.
pub fn conv(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = l.map(value(operands, 0)?)?;
    let (weight, bias) = (weights(operands, 1)?, constant(operands, 2)?);
    let [c, h, w] = l.extents(x.node);
    let [out, each, kernel @ ..] = &weight.dims[..] else { return Err("has weights of too few axes".into()) };
    if x.view.rank() != weight.dims.len() {
        return Err(format!("has weights {:?} for {:?}", weight.dims, x.view.dims()));
    }
    let groups = usize::try_from(node.int("group", 1)).unwrap_or(0);
    if each * groups != c || bias.is_some_and(|bias| !is_vector(&bias.dims, *out)) {
        return Err(format!("has weights {:?} in {groups} groups for {c} channels", weight.dims));
    }
    let mut window = window(node, kernel, [h, w])?;
    let mut source = x.node;
    if let Some((inner, start, end)) = bordered(l, x.node) {
        source = inner;
        for axis in 0..2 {
            window.pad_start[axis] += start[axis];
            window.pad_end[axis] += end[axis];
        }
    }
    let dims = vec![*out, *each, window.kernel[0], window.kernel[1]];
    let weight = l.param(weight, dims);
    let bias = bias.map(|bias| l.param(bias, vec![*out]));
    let node = l.push(Op::Conv2d(Conv2d { weight, bias, out_channels: *out, window, groups }), &[source])?;
    Ok(vec![result(l, &x, node)])
}

/// The result of an operator on a feature map of two or one axes.
fn result(l: &Lowering, x: &Value, node: NodeId) -> Value {
    let map = l.map_of(node);
    let [c, _, w] = l.extents(node);
    match x.view.rank() {
        3 => Value { node, view: super::super::view::View::new(&[1, c, w], [&[1], &[], &[2]]) },
        _ => map,
    }
}

/// A transposed convolution: a convolution's gradient.
pub fn transposed(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = l.map(value(operands, 0)?)?;
    let (weight, bias) = (weights(operands, 1)?, constant(operands, 2)?);
    let [c, h, w] = l.extents(x.node);
    let ([from, each, kernel @ ..], 4) = (&weight.dims[..], x.view.rank()) else {
        return Err("is supported over rows and columns only".into());
    };
    let groups = usize::try_from(node.int("group", 1)).unwrap_or(0);
    if *from != c || groups == 0 || !c.is_multiple_of(groups) || node.ints("output_shape").is_some() {
        return Err(format!("has weights {:?} in {groups} groups for {c} channels, or an output_shape", weight.dims));
    }
    if !matches!(node.text("auto_pad"), "" | "NOTSET" | "VALID") {
        return Err(format!("has the auto_pad {}", node.text("auto_pad")));
    }
    let window = window(node, kernel, [h, w])?;
    let &[more_h, more_w] = node.ints("output_padding").unwrap_or(&[0, 0]) else {
        return Err("has an output_padding that is not of two axes".into());
    };
    let output = |axis: usize, input: usize, more: i64| {
        // It fills up a stride.
        let more = usize::try_from(more).ok().filter(|more| *more < window.stride[axis].max(window.dilation[axis]))?;
        let whole = (input - 1) * window.stride[axis] + window.reach(axis) + more;
        whole.checked_sub(window.pad_start[axis] + window.pad_end[axis]).filter(|extent| *extent > 0)
    };
    let (Some(oh), Some(ow)) = (output(0, h, more_h), output(1, w, more_w)) else {
        return Err("has pads that do not fit".into());
    };
    let out = each * groups;
    let param = l.param(weight, weight.dims.clone());
    let conv = Conv2d { weight: param, bias: None, out_channels: c, window, groups };
    let mut y = l.push(Op::Conv2dGrad { conv, input: [oh, ow], in_channels: out }, &[x.node])?;
    if let Some(bias) = bias {
        if !is_vector(&bias.dims, out) {
            return Err("has a bias that does not fit".into());
        }
        y = l.scaled(y, &vec![1.0; out], &bias.to_floats())?;
    }
    Ok(vec![l.map_of(y)])
}

/// A max or average pool, or one of a `p`-norm.
pub fn pool(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = l.map(value(operands, 0)?)?;
    let [_, h, w] = l.extents(x.node);
    let kernel = node.ints("kernel_shape").ok_or("has no kernel_shape")?;
    let kernel: Vec<usize> = kernel.iter().map(|extent| usize::try_from(*extent).unwrap_or(0)).collect();
    if kernel.len() + 2 != x.view.rank() {
        return Err(format!("has a kernel of {kernel:?} for {:?}", x.view.dims()));
    }
    if node.outputs.get(1).is_some_and(|name| !name.is_empty()) {
        return Err("gives the places of the greatest numbers, which is not supported".into());
    }
    let window = window(node, &kernel, [h, w])?;
    let ceil_mode = node.int("ceil_mode", 0) != 0;
    let pooled = |kind| Op::Pool2d(Pool2d { kind, window, ceil_mode });
    let node = match &*node.op {
        "MaxPool" => l.push(pooled(PoolKind::Max), &[x.node])?,
        "AveragePool" => {
            let count_include_pad = node.int("count_include_pad", 0) != 0;
            l.push(pooled(PoolKind::Average { count_include_pad }), &[x.node])?
        }
        _ if ceil_mode => return Err("has the ceil_mode 1".into()),
        // The border counts as zeros in the sum, which is the mean times the area.
        _ => {
            let p = node.int("p", 2) as f32;
            let powers = elementwise::magnitude(l, x.node, p)?;
            let mean = l.push(pooled(PoolKind::Average { count_include_pad: true }), &[powers])?;
            let sum = l.uniformly(mean, kernel.iter().product::<usize>() as f32, 0.0)?;
            elementwise::power(l, sum, 1.0 / p)?
        }
    };
    Ok(vec![result(l, &x, node)])
}
