//! Sums, means and greatest numbers over axes.

use super::super::extents::axis;
use super::super::file::Node;
use super::super::lower::{Lowering, Operands, Value, list, value};
use super::super::view::{Atom, View, merged};
use super::elementwise;
use crate::graph::{Digit, Op, Pool2d, PoolKind, Rearrange, Side, Window};

type Result<T = Vec<Value>> = std::result::Result<T, String>;

/// `ReduceMean`, `ReduceSum` and others.
pub fn reduce(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let rank = x.view.rank();
    let given = list(node, operands, "axes", 1)?.filter(|axes| !axes.is_empty());
    let axes = match given {
        Some(axes) => axes.iter().map(|a| axis(*a, rank)).collect::<Result<Vec<_>>>()?,
        None if node.int("noop_with_empty_axes", 0) != 0 => return Ok(vec![x.clone()]),
        None => (0..rank).collect(),
    };
    let y = match &*node.op {
        "ReduceMean" => mean(l, x, &axes)?,
        "ReduceSum" => sum(l, x, &axes)?,
        "ReduceMax" => greatest(l, x, &axes)?,
        "ReduceMin" => {
            let negative = l.uniformly(x.node, -1.0, 0.0)?;
            let negative = l.like(x, negative);
            let y = greatest(l, &negative, &axes)?;
            let node = l.uniformly(y.node, -1.0, 0.0)?;
            l.like(&y, node)
        }
        "ReduceL1" => norm(l, x, &axes, 1.0)?,
        "ReduceL2" => norm(l, x, &axes, 2.0)?,
        _ => {
            let squares = l.times(x.node, x.node)?;
            let squares = l.like(x, squares);
            sum(l, &squares, &axes)?
        }
    };
    Ok(vec![if node.int("keepdims", 1) != 0 { y } else { without(&y, &axes) }])
}

/// The mean over rows and columns.
pub fn global_average(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    mean(l, x, &(2..x.view.rank()).collect::<Vec<_>>()).map(|y| vec![y])
}

/// The `p`-norm of rows and columns.
pub fn global_norm(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    norm(l, x, &(2..x.view.rank()).collect::<Vec<_>>(), node.int("p", 2) as f32).map(|y| vec![y])
}

/// The `p`-norm over axes, which keep extent 1.
fn norm(l: &mut Lowering, x: &Value, axes: &[usize], p: f32) -> Result<Value> {
    let powers = elementwise::magnitude(l, x.node, p)?;
    let powers = l.like(x, powers);
    let y = sum(l, &powers, axes)?;
    let node = elementwise::power(l, y.node, 1.0 / p)?;
    Ok(l.like(&y, node))
}

/// The greatest number of rows and columns.
pub fn global_max(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    greatest(l, x, &(2..x.view.rank()).collect::<Vec<_>>()).map(|y| vec![y])
}

fn without(x: &Value, axes: &[usize]) -> Value {
    let kept = (0..x.view.rank()).filter(|axis| !axes.contains(axis));
    Value { node: x.node, view: View { axes: kept.map(|axis| x.view.axes[axis].clone()).collect() } }
}

/// The mean over axes, which keep extent 1.
pub fn mean(l: &mut Lowering, x: &Value, axes: &[usize]) -> Result<Value> {
    let is_of_space =
        |(axis, atoms): (usize, &Vec<Atom>)| atoms.iter().all(|atom| (atom.axis != 0) == axes.contains(&axis));
    if x.view.axes.iter().enumerate().all(is_of_space) {
        let node = l.push(Op::Mean, &[x.node])?;
        let mut view = x.view.clone();
        axes.iter().for_each(|axis| view.axes[*axis].clear());
        return Ok(Value { node, view });
    }
    let count: usize = axes.iter().map(|axis| x.view.extent(*axis)).product();
    let y = sum(l, x, axes)?;
    let node = l.uniformly(y.node, 1.0 / count as f32, 0.0)?;
    Ok(l.like(&y, node))
}

/// The sum over axes, which keep extent 1.
pub fn sum(l: &mut Lowering, x: &Value, axes: &[usize]) -> Result<Value> {
    let is_of_space = |atom: &Atom| atom.axis != 0;
    let all = x.view.axes.iter().enumerate().flat_map(|(axis, atoms)| atoms.iter().map(move |atom| (axis, atom)));
    let mut space = all.filter(|(_, atom)| is_of_space(atom)).peekable();
    if space.peek().is_some() && space.all(|(axis, _)| axes.contains(&axis)) {
        // Rows and columns first: their mean is computed by several invocations together.
        let [_, h, w] = l.extents(x.node);
        let mean = l.push(Op::Mean, &[x.node])?;
        let node = l.uniformly(mean, (h * w) as f32, 0.0)?;
        let mut view = x.view.clone();
        view.axes.iter_mut().for_each(|atoms| atoms.retain(|atom| !is_of_space(atom)));
        return sum(l, &Value { node, view }, axes);
    }
    let (digits, view, extents) = reduced(&x.view, axes);
    if digits.iter().all(|digit| digit.to.is_some()) {
        return Ok(Value { node: x.node, view });
    }
    let from = Side::whole(l.extents(x.node));
    let node = l.moved(x.node, Rearrange { from, to: Side::whole(extents), digits })?;
    Ok(Value { node, view })
}

/// The greatest number over axes, which keep extent 1.
fn greatest(l: &mut Lowering, x: &Value, axes: &[usize]) -> Result<Value> {
    let kept: Vec<usize> = (0..x.view.rank()).filter(|axis| !axes.contains(axis)).collect();
    let x = l.matrix(x, &kept, axes)?;
    let [_, h, w] = l.extents(x.node);
    let window = Window { kernel: [h, w], ..Window::square(1, 1, 0) };
    let node = l.push(Op::Pool2d(Pool2d { kind: PoolKind::Max, window, ceil_mode: false }), &[x.node])?;
    let mut view = x.view.clone();
    axes.iter().for_each(|axis| view.axes[*axis].clear());
    Ok(Value { node, view })
}

/// The digits that add all atoms of some axes, and the view and extents of what is left.
fn reduced(view: &View, axes: &[usize]) -> (Vec<Digit>, View, [usize; 3]) {
    let mut atoms: Vec<(usize, usize, Atom)> = vec![];
    for (axis, list) in view.axes.iter().enumerate() {
        atoms.extend(list.iter().enumerate().map(|(at, atom)| (axis, at, *atom)));
    }
    atoms.sort_by_key(|(.., atom)| (atom.axis, atom.stride));
    let (mut left, mut extents, mut digits) = (view.clone(), [1; 3], vec![]);
    for (axis, at, atom) in atoms {
        let is_kept = !axes.contains(&axis);
        let to = is_kept.then_some((atom.axis, extents[atom.axis]));
        digits.push(Digit { extent: atom.extent, from: Some((atom.axis, atom.stride)), to });
        if is_kept {
            left.axes[axis][at].stride = extents[atom.axis];
            extents[atom.axis] *= atom.extent;
        }
    }
    axes.iter().for_each(|axis| left.axes[*axis].clear());
    digits.reverse();
    (merged(digits), left, extents)
}
