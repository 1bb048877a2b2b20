//! Arithmetic on extents and axes, as the operators that move numbers define it.

use super::file::Node;
use super::tensor::{Constant, MOST, SMALL};
use crate::memory;

/// The extents that two operands repeat to.
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let rank = a.len().max(b.len());
    let at = |dims: &[usize], axis: usize| (axis + dims.len()).checked_sub(rank).map_or(1, |axis| dims[axis]);
    (0..rank)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (1, extent) | (extent, 1) => Ok(extent),
            (x, y) if x == y => Ok(x),
            _ => Err(format!("{a:?} and {b:?} do not fit together")),
        })
        .collect()
}

/// The number of elements, unless they are too many.
pub fn counted(dims: &[usize]) -> Result<usize, String> {
    let count = dims.iter().try_fold(1_usize, |count, extent| count.checked_mul(*extent));
    let count = count.filter(|count| *count <= MOST);
    let count = count.ok_or_else(|| format!("has the extents {dims:?}, which are too many"))?;
    // Once as whole numbers, and once as floats.
    let needed = 12 * count as u64;
    match memory::free().filter(|free| count > SMALL && needed > *free) {
        Some(free) => Err(format!("makes {dims:?} numbers, for which {} MiB of memory are too few", free >> 20)),
        None => Ok(count),
    }
}

/// An axis that may count from the end.
pub fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let counted = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(counted).ok().filter(|axis| *axis < rank).ok_or_else(|| format!("names axis {axis} of {rank}"))
}

/// Indices that may count from the end.
pub fn indices(list: &[i64], extent: usize) -> Result<Vec<usize>, String> {
    let at = |i: &i64| usize::try_from(if *i < 0 { i + extent as i64 } else { *i }).ok().filter(|i| *i < extent);
    list.iter().map(|i| at(i).ok_or_else(|| format!("names element {i} of {extent}"))).collect()
}

pub fn extents(list: &[i64]) -> Result<Vec<usize>, String> {
    list.iter().map(|extent| usize::try_from(*extent).map_err(|_| format!("has the extents {list:?}"))).collect()
}

/// What `Shape` gives for these extents: all of them, or since opset 15 a part.
pub fn shape(node: &Node, dims: &[i64]) -> Constant {
    let rank = dims.len() as i64;
    let at = |end: i64| (if end < 0 { end + rank } else { end }).clamp(0, rank) as usize;
    let (start, end) = (at(node.int("start", 0)), at(node.int("end", rank)));
    Constant::list(&dims[start..end.max(start)])
}

/// The extents that `Reshape` asks for: 0 keeps one, −1 takes what is left.
pub fn reshaped(node: &Node, dims: &[usize], to: &[i64]) -> Result<Vec<usize>, String> {
    let wrong = || format!("makes {to:?} of {dims:?}");
    let keeps = node.int("allowzero", 0) == 0;
    let extent = |(axis, to): (usize, &i64)| match *to {
        0 if keeps => dims.get(axis).copied().ok_or_else(wrong),
        -1 => Ok(1),
        to => usize::try_from(to).map_err(|_| wrong()),
    };
    let mut result = to.iter().enumerate().map(extent).collect::<Result<Vec<_>, _>>()?;
    let (all, known) = (counted(dims)?, counted(&result)?);
    if let Some(free) = to.iter().position(|to| *to == -1)
        && known > 0
    {
        result[free] = all / known;
    }
    if counted(&result)? == all { Ok(result) } else { Err(wrong()) }
}

/// The two extents that `Flatten` makes.
pub fn flattened(node: &Node, dims: &[usize]) -> Result<Vec<usize>, String> {
    let at = node.int("axis", 1);
    let at = if at == dims.len() as i64 { dims.len() } else { axis(at, dims.len())? };
    Ok([&dims[..at], &dims[at..]].map(|dims| dims.iter().product()).into())
}

/// The extents without some that are 1.
pub fn squeezed(dims: &[usize], axes: Option<&[i64]>) -> Result<Vec<usize>, String> {
    let gone = match axes {
        Some(axes) => axes.iter().map(|a| axis(*a, dims.len())).collect::<Result<Vec<_>, _>>()?,
        None => (0..dims.len()).filter(|axis| dims[*axis] == 1).collect(),
    };
    if gone.iter().any(|axis| dims[*axis] != 1) {
        return Err(format!("squeezes an axis of {dims:?} that is not 1"));
    }
    Ok((0..dims.len()).filter(|axis| !gone.contains(axis)).map(|axis| dims[axis]).collect())
}

/// The extents of so many repeats along each axis.
pub fn tiled(dims: &[usize], times: &[usize]) -> Result<Vec<usize>, String> {
    if times.len() != dims.len() {
        return Err(format!("has {} repeats for {} axes", times.len(), dims.len()));
    }
    counted(&[dims, times].concat())?;
    Ok(times.iter().zip(dims).map(|(times, extent)| times * extent).collect())
}

/// The extents with some of 1 between.
pub fn unsqueezed(dims: &[usize], axes: &[i64]) -> Result<Vec<usize>, String> {
    let rank = dims.len() + axes.len();
    let new = axes.iter().map(|a| axis(*a, rank)).collect::<Result<Vec<_>, _>>()?;
    let mut old = dims.iter();
    let result: Vec<usize> = (0..rank).map(|a| if new.contains(&a) { 1 } else { *old.next().unwrap_or(&1) }).collect();
    if old.next().is_some() { Err("names an axis twice".into()) } else { Ok(result) }
}

/// The order of `Transpose`.
pub fn order(node: &Node, rank: usize) -> Result<Vec<usize>, String> {
    let order = match node.ints("perm") {
        Some(order) => indices(order, rank)?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted.iter().copied().eq(0..rank) { Ok(order) } else { Err(format!("has the order {order:?}")) }
}

/// The parts that `Split` makes of an axis.
pub fn parts(node: &Node, sizes: Option<Vec<i64>>, extent: usize) -> Result<Vec<usize>, String> {
    let sizes = match sizes {
        Some(sizes) => extents(&sizes)?,
        None => {
            let count = node.outputs.len().max(1);
            let size = extent.div_ceil(count);
            (0..count).map(|i| extent.saturating_sub(i * size).min(size)).collect()
        }
    };
    let sum = sizes.iter().try_fold(0_usize, |sum, size| sum.checked_add(*size));
    if sum == Some(extent) { Ok(sizes) } else { Err(format!("splits {extent} into {sizes:?}")) }
}

/// The elements of an axis that `Slice` keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub start: usize,
    pub step: i64,
    pub count: usize,
}

impl Range {
    pub fn at(&self, i: usize) -> usize {
        self.start.wrapping_add_signed(i as isize * self.step as isize)
    }
}

/// The elements that `Slice` keeps, for each axis.
pub fn ranges(node: &Node, operands: &[Option<&Constant>], dims: &[usize]) -> Result<Vec<Range>, String> {
    let list = |name: &str, i: usize| match operands.get(i).copied().flatten() {
        Some(constant) => Some(constant.to_ints().to_vec()),
        None => node.ints(name).map(<[i64]>::to_vec),
    };
    let (starts, ends) = (list("starts", 1).ok_or("has no starts")?, list("ends", 2).ok_or("has no ends")?);
    let axes = list("axes", 3).unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = list("steps", 4).unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()].iter().any(|len| *len != starts.len()) {
        return Err("has lists of different lengths".into());
    }
    let mut ranges: Vec<Range> = dims.iter().map(|extent| Range { start: 0, step: 1, count: *extent }).collect();
    for i in 0..starts.len() {
        let axis = axis(axes[i], dims.len())?;
        let (extent, step) = (dims[axis] as i64, steps[i]);
        let from_end = |at: i64| if at < 0 { at.saturating_add(extent) } else { at };
        let (least, most) = if step > 0 { (0, extent) } else { (-1, extent - 1) };
        let start = from_end(starts[i]).clamp(least, most);
        let end = from_end(ends[i]).clamp(least, most);
        let end = if step < 0 && ends[i] < -extent { -1 } else { end };
        let count = match step {
            0 => return Err("has a step of 0".into()),
            step if step > 0 => ((end - start).max(0) as u64).div_ceil(step.unsigned_abs()),
            step => ((start - end).max(0) as u64).div_ceil(step.unsigned_abs()),
        };
        ranges[axis] = Range { start: start.max(0) as usize, step, count: count as usize };
    }
    Ok(ranges)
}
