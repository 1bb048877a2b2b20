//! Norms.

use super::super::extents::axis;
use super::super::file::Node;
use super::super::lower::{Lowering, Operand, Operands, Value, constant, value, weights};
use super::super::parameters::batch_norm;
use super::super::tensor::Constant;
use super::{elementwise, linear, reduce};
use crate::graph::{Activation, LayerNorm, Op};

type Result<T = Vec<Value>> = std::result::Result<T, String>;

/// A batch norm in evaluation mode.
pub fn batch(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let numbers: Vec<Option<&Constant>> =
        (0..5).map(|i| if i == 0 { Ok(None) } else { constant(operands, i) }).collect::<Result<_>>()?;
    let [scale, shift] = batch_norm(node, &numbers)?;
    let rank = x.view.rank();
    let along_channels = |numbers: Vec<f32>| {
        let mut dims = vec![1; rank];
        dims[1] = numbers.len();
        Constant::floats(dims, numbers)
    };
    if rank < 2 || x.view.extent(1) != scale.len() {
        return Err(format!("has {} channels for {:?}", scale.len(), x.view.dims()));
    }
    let vectors = [scale, shift].map(|numbers| elementwise::per_channel(l, x, &along_channels(numbers)));
    let [Some(scale), Some(shift)] = vectors else { return Err("runs along rows or columns".into()) };
    let (scale, shift) = (l.vector(scale), l.vector(shift));
    let node = l.push(Op::ScaleShift { scale, shift: Some(shift) }, &[x.node])?;
    Ok(vec![l.like(x, node)])
}

/// Layer normalisation over the axes from one on.
pub fn layer(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let (weight, bias) = (weights(operands, 1)?, constant(operands, 2)?);
    let rank = x.view.rank();
    let first = axis(node.int("axis", -1), rank)?;
    let eps = node.float("epsilon", 1e-5);
    let channels = x.view.extent(first);
    if first + 1 < rank || channels == 1 {
        let y = normalised(l, x, &(first..rank).collect::<Vec<_>>(), eps)?;
        return affine(l, y, weight, bias);
    }
    let others: Vec<usize> = (0..first).collect();
    let all = l.extents(x.node);
    let x = if x.view.is_all_of(first, 0, all) { x.clone() } else { l.matrix(x, &[first], &others)? };
    let zeros = Constant::floats(vec![channels], vec![0.0; channels]);
    let [weight, bias] = [weight, bias.unwrap_or(&zeros)].map(|numbers| {
        if numbers.len() == channels {
            Ok(l.param(numbers, vec![channels]))
        } else {
            Err("has numbers that do not fit".to_owned())
        }
    });
    let norm = LayerNorm { weight: weight?, bias: bias?, eps };
    let node = l.push(Op::LayerNorm(norm), &[x.node])?;
    Ok(vec![l.like(&x, node)])
}

fn affine(l: &mut Lowering, y: Value, weight: &Constant, bias: Option<&Constant>) -> Result {
    let y = elementwise::product(l, &Operand::Value(y), &Operand::Constant(weight.clone()))?;
    Ok(vec![match bias {
        Some(bias) => elementwise::sum(l, &Operand::Value(y), &Operand::Constant(bias.clone()))?,
        None => y,
    }])
}

/// `(x - mean) / √(variance + eps)` over axes.
fn normalised(l: &mut Lowering, x: &Value, axes: &[usize], eps: f32) -> Result<Value> {
    let mean = reduce::mean(l, x, axes)?;
    let minus = l.uniformly(mean.node, -1.0, 0.0)?;
    let minus = Operand::Value(l.like(&mean, minus));
    let away = elementwise::sum(l, &Operand::Value(x.clone()), &minus)?;
    let square = l.times(away.node, away.node)?;
    let square = l.like(&away, square);
    let variance = reduce::mean(l, &square, axes)?;
    let mut node = l.uniformly(variance.node, 1.0, eps)?;
    for f in [Activation::Sqrt, Activation::Reciprocal] {
        node = l.activated(node, f)?;
    }
    let inverse = Operand::Value(l.like(&variance, node));
    elementwise::product(l, &Operand::Value(away), &inverse)
}

/// A constant of numbers for each channel.
fn on_channels(numbers: &Constant, rank: usize) -> Constant {
    let mut dims = vec![1; rank];
    dims[1] = numbers.len();
    numbers.reshaped(dims)
}

/// Each channel normalised over rows and columns.
pub fn instance(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let rank = x.view.rank();
    let y = normalised(l, x, &(2..rank).collect::<Vec<_>>(), node.float("epsilon", 1e-5))?;
    let [weight, bias] = [weights(operands, 1)?, weights(operands, 2)?].map(|numbers| on_channels(numbers, rank));
    affine(l, y, &weight, Some(&bias))
}

/// Groups of channels normalised over their channels, rows and columns.
pub fn group(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let dims = x.view.dims();
    let groups = usize::try_from(node.int("num_groups", 1)).unwrap_or(0);
    if dims.len() < 3 || groups == 0 || !dims[1].is_multiple_of(groups) {
        return Err(format!("has {groups} groups for {dims:?}"));
    }
    let apart = [&[1, groups, dims[1] / groups], &dims[2..]].concat();
    let view = x.view.reshaped(&apart).ok_or("has groups that do not fit")?;
    let y = normalised(
        l,
        &Value { node: x.node, view },
        &(2..apart.len()).collect::<Vec<_>>(),
        node.float("epsilon", 1e-5),
    )?;
    let view = y.view.reshaped(&dims).ok_or("has groups that do not fit")?;
    // Before opset 21, there are numbers for groups, not for channels.
    let [weight, bias] = [weights(operands, 1)?, weights(operands, 2)?].map(|numbers| {
        let each = if numbers.len() == dims[1] { 1 } else { dims[1] / groups };
        let count = numbers.len();
        on_channels(&numbers.pick(vec![count * each], (0..count * each).map(|c| c / each)), dims.len())
    });
    affine(l, Value { node: y.node, view }, &weight, Some(&bias))
}

/// `x / (bias + alpha / size · Σ x²)^beta`, where the sum runs over neighbouring channels.
pub fn local_response(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = l.map(value(operands, 0)?)?;
    let [c, ..] = l.extents(x.node);
    let size = usize::try_from(node.int("size", 1)).unwrap_or(1).max(1);
    let (alpha, beta, bias) = (node.float("alpha", 1e-4), node.float("beta", 0.75), node.float("bias", 1.0));
    let square = l.times(x.node, x.node)?;
    // A band of a matrix adds the neighbours.
    let (before, after) = ((size - 1) / 2, size - 1 - (size - 1) / 2);
    let near = |at: usize| {
        let (out, input) = (at / c, at % c);
        f32::from(u8::from(input + before >= out && input <= out + after)) * alpha / size as f32
    };
    let band = Constant::floats(vec![c, c], (0..c * c).map(near).collect::<Vec<_>>());
    let square = l.like(&x, square);
    let sums = linear::along(l, &square, 1, &band)?.node;
    let mut y = l.uniformly(sums, 1.0, bias)?;
    y = l.activated(y, Activation::Log)?;
    y = l.uniformly(y, -beta, 0.0)?;
    y = l.activated(y, Activation::Exp)?;
    let node = l.times(x.node, y)?;
    Ok(vec![l.like(&x, node)])
}
