//! Products of two values, and softmax.

use super::super::extents::axis;
use super::super::file::Node;
use super::super::lower::{Lowering, Operands, Value, value};
use super::super::view::View;
use crate::graph::{Contract, Form, Op};

type Result<T = Vec<Value>> = std::result::Result<T, String>;

/// The axes of two operands of a product: those that both have and keep, those of each alone, those that are added.
struct Axes {
    batch: [Vec<usize>; 2],
    alone: [Vec<usize>; 2],
    added: [Vec<usize>; 2],
}

/// `[…, m, k] · […, k, n]`.
pub fn matmul(l: &mut Lowering, a: &Value, b: &Value) -> Result<Value> {
    let rank = a.view.rank().max(b.view.rank());
    if rank < 2 || a.view.rank() != b.view.rank() {
        return Err(format!("multiplies {:?} and {:?}", a.view.dims(), b.view.dims()));
    }
    let batch = super::super::extents::broadcast(&a.view.dims()[..rank - 2], &b.view.dims()[..rank - 2])?;
    let mut whole = |x: &Value| {
        let dims = [&batch[..], &x.view.dims()[rank - 2..]].concat();
        l.expanded(x, &dims)
    };
    let (a, b) = (whole(a)?, whole(b)?);
    let all: Vec<usize> = (0..batch.len()).collect();
    let axes = Axes {
        batch: [all.clone(), all],
        alone: [vec![rank - 2], vec![rank - 1]],
        added: [vec![rank - 1], vec![rank - 2]],
    };
    product(l, &a, &b, &axes)
}

/// The product of two values. The result has the batch's axes, then those of `a` alone, then those of `b` alone.
fn product(l: &mut Lowering, a: &Value, b: &Value, axes: &Axes) -> Result<Value> {
    let extents = |x: &Value, list: &[usize]| list.iter().map(|axis| x.view.extent(*axis)).collect::<Vec<_>>();
    if extents(a, &axes.added[0]) != extents(b, &axes.added[1])
        || extents(a, &axes.batch[0]) != extents(b, &axes.batch[1])
    {
        return Err(format!("multiplies {:?} and {:?}", a.view.dims(), b.view.dims()));
    }
    let values = [a, b];
    // Each form needs of each operand that some axes are channels and others pixels. `first` says which operand comes first.
    let joined = |first: &[usize], second: &[usize]| [first, second].concat();
    let needs = |form: Form, operand: usize, is_first: bool| {
        let (batch, alone, added) = (&axes.batch[operand], &axes.alone[operand], &axes.added[operand]);
        match (form, is_first) {
            (Form::Channels, _) | (Form::Across, true) => (joined(batch, added), alone.clone()),
            (Form::Across, false) | (Form::Pixels(_), _) => (joined(batch, alone), added.clone()),
        }
    };
    // Softmax wants the last axis as pixels, and what follows it wants channels back; so these come first.
    let pixels = Form::Pixels([1, 1]);
    let choices =
        [(Form::Channels, 1), (pixels, 1), (Form::Across, 0), (Form::Across, 1), (pixels, 0), (Form::Channels, 0)];
    let moves = |&(form, first): &(Form, usize)| {
        let is_moved = |operand: usize| {
            let (channels, pixels) = needs(form, operand, operand == first);
            usize::from(!l.is_matrix(values[operand], &channels, &pixels))
        };
        is_moved(0) + is_moved(1)
    };
    let (form, first) = choices.into_iter().min_by_key(moves).ok_or("has no form")?;
    let second = 1 - first;
    let mut laid = |operand: usize| {
        let (channels, pixels) = needs(form, operand, operand == first);
        l.matrix(values[operand], &channels, &pixels)
    };
    let (mut x, mut y) = (laid(first)?, laid(second)?);
    let alike = |l: &Lowering| l.extents(x.node)[1..] == l.extents(y.node)[1..];
    if matches!(form, Form::Pixels(_)) && !alike(l) {
        // Pixels that meet must lie alike: in one row.
        let mut in_a_row = |value: &Value, operand: usize| {
            let (channels, pixels) = needs(form, operand, operand == first);
            l.laid_out(value, [&channels, &[], &pixels])
        };
        (x, y) = (in_a_row(&x, first)?, in_a_row(&y, second)?);
    }
    let groups = extents(a, &axes.batch[0]).iter().product();
    let outer = |operand: usize| extents(values[operand], &axes.alone[operand]).iter().product::<usize>();
    let form = if let Form::Pixels(_) = form { Form::Pixels([1, outer(second)]) } else { form };
    let node = l.push(Op::Contract(Contract { form, groups }), &[x.node, y.node])?;

    // The result's axes. Its channels are the batch and the axes of one operand alone; its pixels are the other's.
    let batch = extents(a, &axes.batch[0]);
    let alone = [extents(a, &axes.alone[0]), extents(b, &axes.alone[1])];
    let dims = [batch, alone[0].clone(), alone[1].clone()].concat();
    let count = axes.batch[0].len();
    let places = [count..count + alone[0].len(), count + alone[0].len()..dims.len()];
    let (of_channels, of_pixels) = if let Form::Pixels(_) = form { (first, second) } else { (second, first) };
    let channels: Vec<usize> = (0..count).chain(places[of_channels].clone()).collect();
    let pixels: Vec<usize> = places[of_pixels].clone().collect();
    let mut view = View::new(&dims, [&channels, &[], &pixels]);
    if !matches!(form, Form::Pixels(_)) {
        // They lie as those of the first operand do.
        for (place, axis) in pixels.iter().zip(&axes.alone[first]) {
            view.axes[*place] = x.view.axes[*axis].clone();
        }
    }
    Ok(Value { node, view })
}

/// A product of two values, described by letters.
pub fn einsum(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let equation: String = node.text("equation").split_whitespace().collect();
    let not_supported = || format!("has the equation {equation}, which is not supported");
    let parsed = equation.split_once("->").and_then(|(inputs, output)| Some((inputs.split_once(',')?, output)));
    let ((first, second), output) = parsed.ok_or_else(not_supported)?;
    let [Some(a), Some(b)] = operands else { return Err(not_supported()) };
    let (a, b) = (l.as_value(a)?, l.as_value(b)?);
    let fits = first.len() == a.view.rank() && second.len() == b.view.rank();
    if !fits || ![first, second, output].iter().all(|word| word.bytes().all(|c| c.is_ascii_alphabetic())) {
        return Err(not_supported());
    }
    let words = [first, second];
    let at = |word: &str, letter: char| word.find(letter);
    let (mut axes, mut made) =
        (Axes { batch: [vec![], vec![]], alone: [vec![], vec![]], added: [vec![], vec![]] }, [vec![], vec![], vec![]]);
    for letter in first.chars() {
        match (at(second, letter), at(output, letter), at(first, letter)) {
            (Some(j), Some(_), Some(i)) => {
                axes.batch[0].push(i);
                axes.batch[1].push(j);
                made[0].push(letter);
            }
            (Some(j), None, Some(i)) => {
                axes.added[0].push(i);
                axes.added[1].push(j);
            }
            _ => {}
        }
    }
    for operand in 0..2 {
        let other = words[1 - operand];
        for (i, letter) in words[operand].chars().enumerate().filter(|(_, letter)| at(other, *letter).is_none()) {
            if at(output, letter).is_none() {
                return Err(not_supported());
            }
            axes.alone[operand].push(i);
            made[1 + operand].push(letter);
        }
    }
    let y = product(l, &a, &b, &axes)?;
    let made: Vec<char> = made.concat();
    let order: Option<Vec<usize>> = output.chars().map(|letter| made.iter().position(|made| *made == letter)).collect();
    let order = order.filter(|order| order.len() == made.len()).ok_or_else(not_supported)?;
    Ok(vec![Value { node: y.node, view: y.view.transposed(&order) }])
}

/// Softmax along an axis, or before opset 13 along all axes from it on.
pub fn softmax(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let rank = x.view.rank();
    let at = axis(node.int("axis", if l.opset < 13 { 1 } else { -1 }), rank)?;
    let pixels: Vec<usize> = if l.opset < 13 { (at..rank).collect() } else { vec![at] };
    let channels: Vec<usize> = (0..rank).filter(|axis| !pixels.contains(axis)).collect();
    let x = l.matrix(x, &channels, &pixels)?;
    let node = l.push(Op::Softmax, &[x.node])?;
    Ok(vec![l.like(&x, node)])
}
