//! Products with trained matrices.

use super::super::file::Node;
use super::super::lower::{Lowering, Operand, Operands, Value, constant, value, weights};
use super::super::tensor::{Constant, places};
use super::super::view::View;
use super::{attention, elementwise};
use crate::graph::{Conv2d, Linear, Op, Window};

type Result<T = Vec<Value>> = std::result::Result<T, String>;

/// `alpha · x · w + beta · bias`.
pub fn gemm(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let weight = weights(operands, 1)?;
    let bias = constant(operands, 2)?;
    let (alpha, beta) = (node.float("alpha", 1.0), node.float("beta", 1.0));
    if node.int("transA", 0) != 0 {
        return Err("has a transposed image, which is not supported".into());
    }
    let weight = if node.int("transB", 0) != 0 { weight.clone() } else { transposed(weight)? };
    let weight = times(&weight, alpha);
    let bias = bias.map(|bias| times(bias, beta));
    matrix(l, x, &weight, bias.as_ref()).map(|y| vec![y])
}

fn times(x: &Constant, factor: f32) -> Constant {
    if factor == 1.0 {
        return x.clone();
    }
    Constant::floats(x.dims.clone(), x.to_floats().iter().map(|x| x * factor).collect::<Vec<_>>())
}

/// A matrix with its axes exchanged.
///
/// # Errors
/// Weights that are no matrix.
pub fn transposed(x: &Constant) -> Result<Constant> {
    let [rows, columns] = x.dims[..] else { return Err(format!("has weights {:?}, not a matrix", x.dims)) };
    Ok(x.pick(vec![columns, rows], places(vec![columns, rows], 0, vec![1, columns])))
}

/// A product of matrices, of which one may be trained.
pub fn matmul(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    match operands {
        [Some(Operand::Value(x)), Some(Operand::Constant(w))] if w.dims.len() == 2 => {
            matrix(l, x, &transposed(w)?, None).map(|y| vec![y])
        }
        // w · x = (xᵀ · wᵀ)ᵀ
        [Some(Operand::Constant(w)), Some(Operand::Value(x))] if w.dims.len() == 2 && x.view.rank() >= 2 => {
            let mut order: Vec<usize> = (0..x.view.rank()).collect();
            let last = order.len() - 1;
            order.swap(last - 1, last);
            let turned = Value { node: x.node, view: x.view.transposed(&order) };
            let y = matrix(l, &turned, w, None)?;
            Ok(vec![Value { node: y.node, view: y.view.transposed(&order) }])
        }
        [Some(a), Some(b)] => {
            let (a, b) = (l.as_value(a)?, l.as_value(b)?);
            attention::matmul(l, &a, &b).map(|y| vec![y])
        }
        _ => Err("needs two operands".into()),
    }
}

/// `x · weightᵀ + bias` along the last axis of `x`; the weight is `[out, in]`.
fn matrix(l: &mut Lowering, x: &Value, weight: &Constant, bias: Option<&Constant>) -> Result<Value> {
    let [out, input] = weight.dims[..] else { return Err(format!("has weights {:?}, not a matrix", weight.dims)) };
    let dims = x.view.dims();
    let last = dims.len().checked_sub(1).ok_or("has no axes")?;
    if dims[last] != input {
        return Err(format!("has weights for {input} numbers, not for {}", dims[last]));
    }
    let vector = bias.filter(|bias| bias.len() == out && bias.dims.last() == Some(&out));
    let is_flat = dims[..last].iter().all(|extent| *extent == 1);
    let y = if is_flat { flat(l, x, weight, vector)? } else { pointwise(l, x, weight, vector)? };
    match (bias, vector) {
        (Some(bias), None) => elementwise::sum(l, &Operand::Value(y), &Operand::Constant(bias.clone())),
        _ => Ok(y),
    }
}

/// A linear layer over a whole feature map, whose numbers may be flattened in any order.
fn flat(l: &mut Lowering, x: &Value, weight: &Constant, bias: Option<&Constant>) -> Result<Value> {
    let [out, input] = weight.dims[..] else { return Err("has no matrix".into()) };
    let [c, h, w] = l.extents(x.node);
    // Where the feature map has each number, in the order of the weight's columns.
    let order: Vec<usize> = x.view.places([c, h, w]).collect();
    let weight = if order.iter().copied().eq(0..input) {
        weight.clone()
    } else {
        let mut columns = vec![0; input];
        order.iter().zip(0..).for_each(|(at, column)| columns[*at] = column);
        weight.pick(vec![out, input], (0..out).flat_map(|row| columns.iter().map(move |column| row * input + column)))
    };
    let weight = l.param(&weight, vec![out, c * h * w]);
    let bias = bias.map(|bias| l.param(bias, vec![out]));
    let node = l.push(Op::Linear(Linear { weight, bias, out_features: out }), &[x.node])?;
    let mut dims = x.view.dims();
    let last = dims.len() - 1;
    dims[last] = out;
    Ok(Value { node, view: View::new(&dims, [&[last], &[], &[]]) })
}

/// A 1×1 convolution: the last axis is the channels, the others are pixels.
fn pointwise(l: &mut Lowering, x: &Value, weight: &Constant, bias: Option<&Constant>) -> Result<Value> {
    let [out, input] = weight.dims[..] else { return Err("has no matrix".into()) };
    let last = x.view.rank() - 1;
    let [c, ..] = l.extents(x.node);
    let x = if x.view.is_all_of(last, 0, [c, 0, 0]) {
        x.clone()
    } else {
        l.matrix(x, &[last], &(0..last).collect::<Vec<_>>())?
    };
    let weight = l.param(weight, vec![out, input, 1, 1]);
    let bias = bias.map(|bias| l.param(bias, vec![out]));
    let window = Window::square(1, 1, 0);
    let node = l.push(Op::Conv2d(Conv2d { weight, bias, out_channels: out, window, groups: 1 }), &[x.node])?;
    let mut view = x.view.clone();
    view.axes[last] = View::new(&[out], [&[0], &[], &[]]).axes.remove(0);
    Ok(Value { node, view })
}

/// An axis multiplied by a matrix `[out, in]`: each of its new elements is a sum of the old.
pub fn along(l: &mut Lowering, x: &Value, axis: usize, weight: &Constant) -> Result<Value> {
    let mut order: Vec<usize> = (0..x.view.rank()).filter(|other| *other != axis).collect();
    order.push(axis);
    let turned = Value { node: x.node, view: x.view.transposed(&order) };
    let y = pointwise(l, &turned, weight, None)?;
    let mut back = vec![0; order.len()];
    order.iter().enumerate().for_each(|(at, axis)| back[*axis] = at);
    Ok(Value { node: y.node, view: y.view.transposed(&back) })
}
