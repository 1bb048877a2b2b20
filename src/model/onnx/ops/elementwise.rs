//! Operators on each number by itself, or on two numbers.

use super::super::extents::broadcast;
use super::super::file::Node;
use super::super::lower::{Lowering, Operand, Operands, Value, constant, value, weights};
use super::super::parameters::limits;
use super::super::tensor::Constant;
use super::super::view::View;
use crate::graph::{Activation, Arithmetic, NodeId, Op};

type Result<T = Vec<Value>> = std::result::Result<T, String>;

/// An activation.
pub fn activate(l: &mut Lowering, x: &Operands, f: Activation) -> Result {
    let x = value(x, 0)?;
    let node = l.activated(x.node, f)?;
    Ok(vec![l.like(x, node)])
}

/// `x · factor`.
pub fn scale(l: &mut Lowering, x: &Operands, factor: f32) -> Result {
    let x = value(x, 0)?;
    let node = l.uniformly(x.node, factor, 0.0)?;
    Ok(vec![l.like(x, node)])
}

/// GELU, exact or by its older approximation.
pub fn gelu(l: &mut Lowering, node: &Node, x: &Operands) -> Result {
    activate(l, x, if node.text("approximate") == "tanh" { Activation::GeluTanh } else { Activation::Gelu })
}

/// `max(0, min(1, alpha · x + beta))`.
pub fn hard_sigmoid(l: &mut Lowering, node: &Node, x: &Operands) -> Result {
    let (alpha, beta) = (node.float("alpha", 0.2), node.float("beta", 0.5));
    let x = value(x, 0)?;
    // Files hold a sixth in several roundings.
    let scaled = if (alpha - 1.0 / 6.0).abs() < 1e-6 && beta == 0.5 {
        x.node
    } else {
        l.uniformly(x.node, 6.0 * alpha, 6.0 * beta - 3.0)?
    };
    let node = l.activated(scaled, Activation::HardSigmoid)?;
    Ok(vec![l.like(x, node)])
}

/// `max(low, min(high, x))`.
pub fn clip(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let [low, high] = limits(node, &[None, constant(operands, 1)?, constant(operands, 2)?]);
    let clipped = match (low > f32::MIN, high < f32::MAX) {
        (true, true) if low < high => {
            let factor = 6.0 / (high - low);
            let y = l.uniformly(x.node, factor, -low * factor)?;
            let y = l.activated(y, Activation::Relu6)?;
            l.uniformly(y, 1.0 / factor, low)?
        }
        (true, true) => return Err(format!("clips to {low}..{high}")),
        (true, false) => {
            let y = l.uniformly(x.node, 1.0, -low)?;
            let y = l.activated(y, Activation::Relu)?;
            l.uniformly(y, 1.0, low)?
        }
        (false, true) => {
            let y = l.uniformly(x.node, -1.0, high)?;
            let y = l.activated(y, Activation::Relu)?;
            l.uniformly(y, -1.0, high)?
        }
        (false, false) => x.node,
    };
    Ok(vec![l.like(x, clipped)])
}

/// `x` above 0, `alpha · x` below.
pub fn leaky_relu(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    leaky(l, value(operands, 0)?, &Constant::scalar(node.float("alpha", 0.01)))
}

/// `x` above 0, `slope · x` below.
pub fn prelu(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    leaky(l, value(operands, 0)?, weights(operands, 1)?)
}

/// `relu(x) · (1 - slope) + slope · x`.
fn leaky(l: &mut Lowering, x: &Value, slope: &Constant) -> Result {
    let slopes = per_channel(l, x, slope).ok_or("has a slope that is not one of each channel")?;
    let rest: Vec<f32> = slopes.iter().map(|slope| 1.0 - slope).collect();
    let zeros = vec![0.0; slopes.len()];
    let positive = l.activated(x.node, Activation::Relu)?;
    let positive = l.scaled(positive, &rest, &zeros)?;
    let all = l.scaled(x.node, &slopes, &zeros)?;
    let node = l.push(Op::Add, &[positive, all])?;
    Ok(vec![l.like(x, node)])
}

/// `x` above 0, `alpha · (exp(x) - 1)` below.
pub fn elu(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let node = exponential(l, x.node, node.float("alpha", 1.0))?;
    Ok(vec![l.like(x, node)])
}

/// `gamma · elu(x)`.
pub fn selu(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let y = exponential(l, x.node, node.float("alpha", 1.673_263_2))?;
    let y = l.uniformly(y, node.float("gamma", 1.050_701), 0.0)?;
    Ok(vec![l.like(x, y)])
}

/// `alpha · elu(x) + (1 - alpha) · relu(x)`.
fn exponential(l: &mut Lowering, x: NodeId, alpha: f32) -> Result<NodeId> {
    let y = l.activated(x, Activation::Elu)?;
    if alpha == 1.0 {
        return Ok(y);
    }
    let y = l.uniformly(y, alpha, 0.0)?;
    let positive = l.activated(x, Activation::Relu)?;
    let positive = l.uniformly(positive, 1.0 - alpha, 0.0)?;
    l.push(Op::Add, &[y, positive])
}

/// A power with a constant exponent.
pub fn pow(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let exponent = weights(operands, 1)?.only().ok_or("has several exponents")?;
    let node = power(l, x.node, exponent)?;
    Ok(vec![l.like(x, node)])
}

/// A power of a node's numbers.
pub fn power(l: &mut Lowering, x: NodeId, exponent: f32) -> Result<NodeId> {
    match exponent {
        1.0 => Ok(x),
        2.0 => l.times(x, x),
        3.0 => {
            let square = l.times(x, x)?;
            l.times(square, x)
        }
        0.5 => l.activated(x, Activation::Sqrt),
        -1.0 => l.activated(x, Activation::Reciprocal),
        -0.5 => {
            let root = l.activated(x, Activation::Sqrt)?;
            l.activated(root, Activation::Reciprocal)
        }
        // x^p = exp(p · ln x), for the positive numbers that such powers have.
        exponent => {
            let log = l.activated(x, Activation::Log)?;
            let log = l.uniformly(log, exponent, 0.0)?;
            l.activated(log, Activation::Exp)
        }
    }
}

/// `|x|ᵖ`, of which `p`-norms are made.
pub fn magnitude(l: &mut Lowering, x: NodeId, p: f32) -> Result<NodeId> {
    let x = if p == 2.0 { x } else { l.activated(x, Activation::Abs)? };
    power(l, x, p)
}

/// A sum of operands.
pub fn add(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    fold_all(operands, |a, b| sum(l, a, b))
}

/// A product of operands.
pub fn multiply(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    fold_all(operands, |a, b| product(l, a, b))
}

/// `a - b`.
pub fn subtract(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    let [a, b] = two(operands)?;
    let b = negative(l, b)?;
    Ok(vec![sum(l, a, &b)?])
}

/// `a / b`.
pub fn divide(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    let [a, b] = two(operands)?;
    let inverse = match b {
        Operand::Constant(b) => {
            let inverse: Vec<f32> = b.to_floats().iter().map(|b| (1.0 / f64::from(*b)) as f32).collect();
            Operand::Constant(Constant::floats(b.dims.clone(), inverse))
        }
        Operand::Value(b) => {
            let node = l.activated(b.node, Activation::Reciprocal)?;
            Operand::Value(l.like(b, node))
        }
    };
    Ok(vec![product(l, a, &inverse)?])
}

/// The greatest of the operands: `max(a, b) = a + relu(b - a)`.
pub fn max(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    fold_all(operands, |a, b| {
        let more = excess(l, b, a)?;
        sum(l, a, &more)
    })
}

/// The least of the operands: `min(a, b) = a - relu(a - b)`.
pub fn min(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    fold_all(operands, |a, b| {
        let more = excess(l, a, b)?;
        let less = negative(l, &more)?;
        sum(l, a, &less)
    })
}

/// `relu(a - b)`.
fn excess(l: &mut Lowering, a: &Operand, b: &Operand) -> Result<Operand> {
    let minus = negative(l, b)?;
    let difference = sum(l, a, &minus)?;
    let node = l.activated(difference.node, Activation::Relu)?;
    Ok(Operand::Value(l.like(&difference, node)))
}

fn fold_all(operands: &Operands, mut combine: impl FnMut(&Operand, &Operand) -> Result<Value>) -> Result {
    let mut all = operands.iter().flatten();
    let first = all.next().ok_or("has no operands")?.clone();
    match all.try_fold(first, |a, b| combine(&a, b).map(Operand::Value))? {
        Operand::Value(value) => Ok(vec![value]),
        Operand::Constant(_) => Err("has constants only".into()),
    }
}

fn two(operands: &Operands) -> Result<[&Operand; 2]> {
    match operands {
        [Some(a), Some(b)] => Ok([a, b]),
        _ => Err("needs two operands".into()),
    }
}

fn negative(l: &mut Lowering, x: &Operand) -> Result<Operand> {
    Ok(match x {
        Operand::Constant(x) => {
            let negative: Vec<f32> = x.to_floats().iter().map(|x| -x).collect();
            Operand::Constant(Constant::floats(x.dims.clone(), negative))
        }
        Operand::Value(x) => {
            let node = l.uniformly(x.node, -1.0, 0.0)?;
            Operand::Value(l.like(x, node))
        }
    })
}

/// `a + b`.
pub fn sum(l: &mut Lowering, a: &Operand, b: &Operand) -> Result<Value> {
    combine(l, Arithmetic::Add, a, b)
}

/// `a · b`.
pub fn product(l: &mut Lowering, a: &Operand, b: &Operand) -> Result<Value> {
    combine(l, Arithmetic::Multiply, a, b)
}

fn combine(l: &mut Lowering, op: Arithmetic, a: &Operand, b: &Operand) -> Result<Value> {
    match (a, b) {
        (Operand::Value(a), Operand::Value(b)) => of_values(l, op, a, b),
        (Operand::Value(x), Operand::Constant(c)) | (Operand::Constant(c), Operand::Value(x)) => {
            let dims = broadcast(&x.view.dims(), &c.dims)?;
            let x = l.expanded(x, &dims)?;
            if let Some(numbers) = per_channel(l, &x, c) {
                let node = match op {
                    Arithmetic::Add => l.scaled(x.node, &vec![1.0; numbers.len()], &numbers)?,
                    Arithmetic::Multiply => l.scaled(x.node, &numbers, &vec![0.0; numbers.len()])?,
                };
                return Ok(l.like(&x, node));
            }
            let extents = l.extents(x.node);
            let c = l.constant(c, &x.view, extents)?;
            let node = l.push(Op::Broadcast(op), &[x.node, c])?;
            Ok(l.like(&x, node))
        }
        (Operand::Constant(_), Operand::Constant(_)) => Err("has constants only".into()),
    }
}

fn of_values(l: &mut Lowering, op: Arithmetic, a: &Value, b: &Value) -> Result<Value> {
    if op == Arithmetic::Multiply {
        for (x, factor) in [(a, b), (b, a)] {
            if let Some(node) = known(l, x, factor)? {
                return Ok(l.like(x, node));
            }
        }
    }
    let dims = broadcast(&a.view.dims(), &b.view.dims())?;
    let is_whole = |x: &Value| x.view.dims() == dims;
    // The operand that keeps its layout: one that is not repeated.
    let (a, b) = if !is_whole(a) && is_whole(b) { (b, a) } else { (a, b) };
    let a = l.expanded(a, &dims)?;
    let extents = l.extents(a.node);
    let b = l.repeated(b, &a.view, extents, false)?;
    let op = match (op, l.extents(b)) {
        (Arithmetic::Add, all) if all == extents => Op::Add,
        (Arithmetic::Multiply, [c, 1, 1]) if c == extents[0] && extents != [c, 1, 1] => Op::Gate,
        _ => Op::Broadcast(op),
    };
    let node = l.push(op, &[a.node, b])?;
    Ok(l.like(&a, node))
}

/// A product that is a known activation of `x`, written out.
fn known(l: &mut Lowering, x: &Value, factor: &Value) -> Result<Option<NodeId>> {
    if x.view != factor.view {
        return Ok(None);
    }
    let activation = |l: &Lowering, node: NodeId| match l.graph.nodes[node].op {
        Op::Activate(f) => Some((f, l.graph.nodes[node].inputs[0])),
        _ => None,
    };
    let Some((f, of)) = activation(l, factor.node) else {
        // x · (1 + erf(x / √2)) is twice GELU. The half may already be in x.
        let Some((erf, 1.0, 1.0)) = l.uniform(factor.node) else { return Ok(None) };
        let Some((Activation::Erf, root)) = activation(l, erf) else { return Ok(None) };
        let Some((inner, scale, 0.0)) = l.uniform(root) else { return Ok(None) };
        let times = match l.uniform(x.node) {
            _ if inner == x.node => 1.0,
            Some((outer, times, 0.0)) if outer == inner => times,
            _ => return Ok(None),
        };
        if (scale - std::f32::consts::FRAC_1_SQRT_2).abs() > 1e-6 {
            return Ok(None);
        }
        let gelu = l.activated(inner, Activation::Gelu)?;
        return l.uniformly(gelu, 2.0 * times, 0.0).map(Some);
    };
    let whole = match f {
        Activation::Sigmoid if of == x.node => Activation::Silu,
        Activation::HardSigmoid if of == x.node => Activation::HardSwish,
        Activation::Tanh if activation(l, of) == Some((Activation::Softplus, x.node)) => Activation::Mish,
        // x · relu6(x + 3), where the sixth comes later.
        Activation::Relu6 if l.uniform(of) == Some((x.node, 1.0, 3.0)) => {
            let y = l.activated(x.node, Activation::HardSwish)?;
            return l.uniformly(y, 6.0, 0.0).map(Some);
        }
        _ => return Ok(None),
    };
    l.activated(x.node, whole).map(Some)
}

/// A constant's number for each channel of a value's feature map, if it differs along channels only.
pub fn per_channel(l: &Lowering, x: &Value, constant: &Constant) -> Option<Vec<f32>> {
    let channels = l.extents(x.node)[0];
    if let Some(number) = constant.only() {
        return Some(vec![number; channels]);
    }
    let missing = x.view.rank().checked_sub(constant.dims.len())?;
    let numbers = constant.to_floats();
    let strides = super::super::tensor::strides(&constant.dims);
    let mut places = vec![0; channels];
    for (own, extent) in constant.dims.iter().enumerate().filter(|(_, extent)| **extent > 1) {
        let axis = own + missing;
        if x.view.extent(axis) != *extent || x.view.axes[axis].iter().any(|atom| atom.axis != 0) {
            return None;
        }
        for (channel, place) in places.iter_mut().enumerate() {
            *place += strides[own] * index(&x.view, axis, channel);
        }
    }
    Some(places.into_iter().map(|at| numbers[at]).collect())
}

/// The index along an axis that lies on channels, at a channel.
fn index(view: &View, axis: usize, channel: usize) -> usize {
    view.axes[axis].iter().fold(0, |index, atom| index * atom.extent + channel / atom.stride % atom.extent)
}
