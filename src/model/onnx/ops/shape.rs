//! Operators that move numbers.

use super::super::extents::{self, Range, axis};
use super::super::file::Node;
use super::super::lower::{Lowering, Operand, Operands, Value, constant, list, value, weights};
use super::super::tensor::{Constant, strides};
use super::super::view::{Atom, View, merged};
use super::{elementwise, linear};
use crate::graph::{Digit, Op, Rearrange, Side};

type Result<T = Vec<Value>> = std::result::Result<T, String>;

/// The operand itself.
pub fn same(_: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    Ok(vec![value(operands, 0)?.clone()])
}

/// The same numbers in the same order with other extents.
fn viewed(l: &mut Lowering, x: &Value, dims: &[usize]) -> Result {
    if let Some(view) = x.view.reshaped(dims) {
        return Ok(vec![Value { node: x.node, view }]);
    }
    // In one row, any part can be an axis.
    let all: Vec<usize> = (0..x.view.rank()).collect();
    let x = l.laid_out(x, [&all, &[], &[]])?;
    let view = x.view.reshaped(dims).ok_or_else(|| format!("makes {dims:?} of {:?}", x.view.dims()))?;
    Ok(vec![Value { node: x.node, view }])
}

/// `Reshape`.
pub fn reshape(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let to = list(node, operands, "shape", 1)?.ok_or("has no shape")?;
    let dims = extents::reshaped(node, &x.view.dims(), &to)?;
    viewed(l, x, &dims)
}

/// `Flatten`.
pub fn flatten(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let dims = extents::flattened(node, &x.view.dims())?;
    viewed(l, x, &dims)
}

/// `Squeeze`.
pub fn squeeze(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let axes = list(node, operands, "axes", 1)?;
    let dims = extents::squeezed(&x.view.dims(), axes.as_deref())?;
    viewed(l, x, &dims)
}

/// `Unsqueeze`.
pub fn unsqueeze(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let axes = list(node, operands, "axes", 1)?.ok_or("has no axes")?;
    let dims = extents::unsqueezed(&x.view.dims(), &axes)?;
    viewed(l, x, &dims)
}

/// `Transpose`.
pub fn transpose(_: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let order = extents::order(node, x.view.rank())?;
    Ok(vec![Value { node: x.node, view: x.view.transposed(&order) }])
}

/// `Expand`.
pub fn expand(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let to: Vec<usize> = weights(operands, 1)?.to_ints().iter().map(|extent| (*extent).max(1) as usize).collect();
    let dims = extents::broadcast(&x.view.dims(), &to)?;
    Ok(vec![l.expanded(x, &dims)?])
}

/// `Tile`: each axis behind a new one, which is expanded.
pub fn tile(l: &mut Lowering, _: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let (dims, times) = (x.view.dims(), extents::extents(&weights(operands, 1)?.to_ints())?);
    let tiled = extents::tiled(&dims, &times)?;
    if times.contains(&0) {
        return Err("leaves nothing".into());
    }
    let apart: Vec<usize> = dims.iter().flat_map(|extent| [1, *extent]).collect();
    let repeated: Vec<usize> = times.iter().zip(&dims).flat_map(|(times, extent)| [*times, *extent]).collect();
    let x = viewed(l, x, &apart)?.remove(0);
    let x = l.expanded(&x, &repeated)?;
    viewed(l, &x, &tiled)
}

/// Some elements of an axis.
fn part(l: &mut Lowering, x: &Value, axis: usize, range: Range) -> Result<Value> {
    if range == (Range { start: 0, step: 1, count: x.view.extent(axis) }) {
        return Ok(x.clone());
    }
    if range.count == 0 {
        return Err("leaves nothing".into());
    }
    if range.step < 1 {
        let picked = (0..range.count).map(|i| range.at(i)).collect::<Vec<_>>();
        return chosen(l, x, axis, &picked);
    }
    let x = if x.view.axes[axis].len() > 1 { l.usually(x)? } else { x.clone() };
    let Some(&atom) = x.view.axes[axis].first() else { return Err("leaves nothing".into()) };
    let from = l.extents(x.node);
    let is_outermost = atom.axis == 0 && atom.stride * atom.extent == from[0];
    let mut view = x.view.clone();
    let cut = Atom { extent: range.count, ..atom };
    view.axes[axis] = if range.count > 1 { vec![cut] } else { vec![] };
    if is_outermost && range.step == 1 {
        let op = Op::Slice { start: range.start * atom.stride, channels: range.count * atom.stride };
        let node = l.push(op, &[x.node])?;
        return Ok(Value { node, view });
    }
    // The atoms beyond it move closer.
    let closer = |other: Atom| {
        let beyond = other.axis == atom.axis && other.stride > atom.stride;
        if beyond { other.stride / atom.extent * range.count } else { other.stride }
    };
    let mut digits = vec![];
    for (own, list) in x.view.axes.iter().enumerate() {
        for other in list {
            let is_cut = own == axis;
            let extent = if is_cut { range.count } else { other.extent };
            let step = if is_cut { range.step as usize } else { 1 };
            let from = Some((other.axis, other.stride * step));
            digits.push(Digit { extent, from, to: Some((other.axis, closer(*other))) });
        }
    }
    view.axes.iter_mut().flatten().for_each(|other| other.stride = closer(*other));
    let (mut from, mut to) = (Side::whole(from), from);
    from.start[atom.axis] = range.start * atom.stride;
    to[atom.axis] = to[atom.axis] / atom.extent * range.count;
    let node = l.moved(x.node, Rearrange { from, to: Side::whole(to), digits: merged(digits) })?;
    Ok(Value { node, view })
}

/// Elements of an axis in any order: a product with a matrix of ones and zeros.
fn chosen(l: &mut Lowering, x: &Value, axis: usize, elements: &[usize]) -> Result<Value> {
    let extent = x.view.extent(axis);
    extents::counted(&[elements.len(), extent])?;
    let mut weight = vec![0.0; elements.len() * extent];
    elements.iter().enumerate().for_each(|(row, element)| weight[row * extent + element] = 1.0);
    linear::along(l, x, axis, &Constant::floats(vec![elements.len(), extent], weight))
}

/// `Slice`.
pub fn slice(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let numbers = (0..5).map(|i| if i == 0 { Ok(None) } else { constant(operands, i) }).collect::<Result<Vec<_>>>()?;
    let ranges = extents::ranges(node, &numbers, &x.view.dims())?;
    let mut y = x.clone();
    for (axis, range) in ranges.into_iter().enumerate() {
        y = part(l, &y, axis, range)?;
    }
    Ok(vec![y])
}

/// `Split`.
pub fn split(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let axis = axis(node.int("axis", 0), x.view.rank())?;
    let sizes = extents::parts(node, list(node, operands, "split", 1)?, x.view.extent(axis))?;
    let mut start = 0;
    let parts = sizes.into_iter().map(|count| {
        let range = Range { start, step: 1, count };
        start += count;
        part(l, x, axis, range)
    });
    parts.collect()
}

/// `Gather` with indices that are in the file.
pub fn gather(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let axis = axis(node.int("axis", 0), x.view.rank())?;
    let index = weights(operands, 1)?;
    let elements = extents::indices(&index.to_ints(), x.view.extent(axis))?;
    let steps = |(at, element): (usize, &usize)| *element == elements[0] + at;
    let y = if !elements.is_empty() && elements.iter().enumerate().all(steps) {
        part(l, x, axis, Range { start: elements[0], step: 1, count: elements.len() })?
    } else {
        chosen(l, x, axis, &elements)?
    };
    let mut dims = y.view.dims();
    dims.splice(axis..=axis, index.dims.iter().copied());
    viewed(l, &y, &dims)
}

/// `Concat`.
pub fn concat(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let parts = operands.iter().flatten().map(|part| l.as_value(part)).collect::<Result<Vec<_>>>()?;
    let first = parts.first().ok_or("has no operands")?.view.clone();
    let axis = axis(node.int("axis", 0), first.rank())?;
    let others = |view: &View| {
        let mut dims = view.dims();
        if axis < dims.len() {
            dims.remove(axis);
        }
        dims
    };
    if parts.iter().any(|part| part.view.rank() != first.rank() || others(&part.view) != others(&first)) {
        return Err("has operands of different extents".into());
    }
    let parts: Vec<Value> = parts.into_iter().filter(|part| part.view.extent(axis) > 0).collect();
    let without = |view: &View| {
        let mut axes = view.axes.clone();
        axes.remove(axis);
        axes
    };
    let is_of_channels = |part: &Value| {
        let [c, ..] = l.extents(part.node);
        part.view.is_all_of(axis, 0, [c, 0, 0]) && without(&part.view) == without(&parts[0].view)
    };
    // Constants are there once, whatever the number of images.
    let images = |part: &Value| l.graph.shape(part.node)[0];
    let same = parts.iter().all(|part| images(part) == images(&parts[0]));
    if same && parts.iter().all(is_of_channels) {
        let nodes: Vec<_> = parts.iter().map(|part| part.node).collect();
        let node = nodes[1..].iter().try_fold(nodes[0], |joined, part| l.push(Op::Concat, &[joined, *part]))?;
        let mut view = parts[0].view.clone();
        let [c, ..] = l.extents(node);
        view.axes[axis] = vec![Atom { axis: 0, extent: c, stride: 1 }];
        return Ok(vec![Value { node, view }]);
    }
    // Each part in its place among zeros; then all are added.
    let mut dims = first.dims();
    dims[axis] = parts.iter().map(|part| part.view.extent(axis)).sum();
    let mut starts = vec![0; dims.len()];
    let mut sum: Option<Value> = None;
    for part in &parts {
        let placed = placed(l, part, &dims, &starts)?;
        starts[axis] += part.view.extent(axis);
        sum = Some(match sum {
            None => placed,
            Some(sum) => {
                let node = l.graph.added(sum.node, placed.node).map_err(|e| e.to_string())?;
                l.like(&sum, node)
            }
        });
    }
    Ok(vec![sum.ok_or("has no operands")?])
}

/// A value among zeros, from `starts` on along each axis, in the usual layout of the whole.
fn placed(l: &mut Lowering, x: &Value, dims: &[usize], starts: &[usize]) -> Result<Value> {
    let (view, extents) = Lowering::usual_view(dims);
    let mut to = Side::whole(extents);
    let mut digits = vec![];
    for (at, list) in Lowering::usual(dims).iter().enumerate() {
        let mut stride = 1;
        for &axis in list.iter().rev() {
            to.start[at] += starts[axis] * stride;
            let mut inner = stride;
            for atom in x.view.axes[axis].iter().rev() {
                digits.push(Digit { extent: atom.extent, from: Some((atom.axis, atom.stride)), to: Some((at, inner)) });
                inner *= atom.extent;
            }
            stride *= dims[axis];
        }
    }
    let moves = Rearrange { from: Side::whole(l.extents(x.node)), to, digits: merged(digits) };
    let node = l.push(Op::Rearrange(moves), &[x.node])?;
    Ok(Value { node, view })
}

/// `Pad` with zeros, or with numbers from inside.
pub fn pad(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let rank = x.view.rank();
    let pads =
        list(node, operands, "pads", 1)?.or_else(|| node.ints("paddings").map(<[i64]>::to_vec)).ok_or("has no pads")?;
    let axes = match constant(operands, 3)? {
        Some(axes) => axes.to_ints().iter().map(|a| axis(*a, rank)).collect::<Result<Vec<_>>>()?,
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() || pads.iter().any(|pad| pad.unsigned_abs() > 1 << 14) {
        return Err(format!("has the pads {pads:?}"));
    }
    let mode = node.text("mode");
    let number = constant(operands, 2)?.and_then(Constant::only).unwrap_or_else(|| node.float("value", 0.0));
    let mut y = x.clone();
    let mut zeros = y.view.dims();
    let mut starts = vec![0; rank];
    for (i, &axis) in axes.iter().enumerate() {
        let (before, after) = (pads[i], pads[i + axes.len()]);
        let extent = y.view.extent(axis) as i64;
        let cut = Range {
            start: (-before).max(0) as usize,
            step: 1,
            count: (extent + before.min(0) + after.min(0)).max(0) as usize,
        };
        y = part(l, &y, axis, cut)?;
        let (before, after, extent) = (before.max(0) as usize, after.max(0) as usize, cut.count);
        zeros[axis] = before + extent + after;
        starts[axis] = before;
        let place = |at: usize| {
            let at = at as i64 - before as i64;
            let last = extent as i64 - 1;
            match mode {
                "edge" => at.clamp(0, last) as usize,
                "wrap" => at.rem_euclid(extent as i64) as usize,
                _ => {
                    let turn = at.rem_euclid((2 * last).max(1));
                    turn.min(2 * last - turn).max(0) as usize
                }
            }
        };
        if before + after > 0 && !matches!(mode, "" | "constant") {
            let elements: Vec<usize> = (0..before + extent + after).map(place).collect();
            y = chosen(l, &y, axis, &elements)?;
        }
    }
    if y.view.dims() == zeros {
        return Ok(vec![y]);
    }
    // The border may become part of a convolution, if the feature map keeps its axes.
    let y = if rank == 4 { l.map(&y)? } else { l.usually(&y)? };
    let (own, padded) = (y.view.dims(), placed(l, &y, &zeros, &starts)?);
    if number == 0.0 {
        return Ok(vec![padded]);
    }
    // The border's number is added, with zeros inside. Before a max pool it is -inf, which no sum should meet.
    let number = number.clamp(-1e30, 1e30);
    let is_cut = |axis: &usize| zeros[*axis] != own[*axis];
    let dims: Vec<usize> = (0..rank).map(|axis| if is_cut(&axis) { zeros[axis] } else { 1 }).collect();
    let steps = strides(&dims);
    let is_inside = |at: usize| {
        (0..rank).filter(is_cut).all(|axis| {
            let i = at / steps[axis] % dims[axis];
            i >= starts[axis] && i < starts[axis] + own[axis]
        })
    };
    let count = extents::counted(&dims)?;
    let border = (0..count).map(|at| if is_inside(at) { 0.0 } else { number }).collect::<Vec<_>>();
    let border = Operand::Constant(Constant::floats(dims, border));
    Ok(vec![elementwise::sum(l, &Operand::Value(padded), &border)?])
}

/// Channels to pixels in squares.
pub fn depth_to_space(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let block = usize::try_from(node.int("blocksize", 0)).unwrap_or(0);
    let [n, c, h, w] = x.view.dims()[..] else { return Err("takes a feature map".into()) };
    if block == 0 || !c.is_multiple_of(block * block) {
        return Err(format!("has squares of {block} for {c} channels"));
    }
    let c = c / (block * block);
    let (apart, order): (_, [usize; 6]) = match node.text("mode") {
        "CRD" => ([n, c, block, block, h, w], [0, 1, 4, 2, 5, 3]),
        _ => ([n, block, block, c, h, w], [0, 3, 4, 1, 5, 2]),
    };
    turned(l, x, &apart, &order, &[n, c, h * block, w * block])
}

/// Pixels in squares to channels.
pub fn space_to_depth(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let block = usize::try_from(node.int("blocksize", 0)).unwrap_or(0);
    let [n, c, h, w] = x.view.dims()[..] else { return Err("takes a feature map".into()) };
    if block == 0 || !h.is_multiple_of(block) || !w.is_multiple_of(block) {
        return Err(format!("has squares of {block} for {h}×{w}"));
    }
    let (h, w) = (h / block, w / block);
    turned(l, x, &[n, c, h, block, w, block], &[0, 3, 5, 1, 2, 4], &[n, c * block * block, h, w])
}

fn turned(l: &mut Lowering, x: &Value, apart: &[usize], order: &[usize], to: &[usize]) -> Result {
    let apart = viewed(l, x, apart)?.remove(0);
    let turned = Value { node: apart.node, view: apart.view.transposed(order) };
    viewed(l, &turned, to)
}
