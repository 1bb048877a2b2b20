//! Operators whose operands are constants: what remains of shapes, and weights that are computed from others.

use super::extents::{
    axis, broadcast, counted, extents, flattened, indices, order, parts, ranges, reshaped, shape, squeezed, tiled,
    unsqueezed,
};
use super::file::Node;
use super::parameters::{batch_norm, limits, own_statistics, trains};
use super::tensor::{Constant, MOST, Numbers, places, strides};

/// Operators that only constants can be given to.
const OF_CONSTANTS: [&str; 24] = [
    "And",
    "Ceil",
    "Constant",
    "ConstantOfShape",
    "Cos",
    "CumSum",
    "Equal",
    "Floor",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Mod",
    "Not",
    "OneHot",
    "Or",
    "Range",
    "ReduceProd",
    "Round",
    "ScatterND",
    "Shape",
    "Sin",
    "Size",
    "Where",
];

/// Whether an operator is known where its operands are constants.
pub fn knows(op: &str) -> bool {
    OF_CONSTANTS.contains(&op)
}

/// Computes an operator from constants. None if it is none of those that are known.
///
/// # Errors
/// What is wrong with the operands.
pub fn fold(node: &Node, operands: &[Option<&Constant>]) -> Result<Option<Vec<Constant>>, String> {
    let given = |i: usize| operands.get(i).copied().flatten();
    let operand = |i: usize| given(i).ok_or_else(|| format!("operand {i} is missing"));
    // What older operators have as an attribute and newer ones as an operand.
    let list = |name: &str, i: usize| match given(i) {
        Some(constant) => Some(constant.to_ints().to_vec()),
        None => node.ints(name).map(<[i64]>::to_vec),
    };
    let one = |constant: Constant| Ok(Some(vec![constant]));
    match &*node.op {
        "Constant" => {
            let names = ["value", "value_float", "value_int", "value_floats", "value_ints"];
            one(names.iter().find_map(|name| node.constant(name)).ok_or("has no value that is supported")?)
        }
        "ConstantOfShape" => {
            let dims = extents(&operand(0)?.to_ints())?;
            let value = node.constant("value").unwrap_or(Constant::scalar(0.0));
            let count = counted(&dims)?;
            if value.len() != 1 {
                return Err("has no single value".into());
            }
            one(value.pick(dims, std::iter::repeat_n(0, count)))
        }
        "Identity" | "Dropout" | "CastLike" => one(operand(0)?.clone()),
        "Cast" => {
            let x = operand(0)?;
            one(match node.int("to", 1) {
                1 | 10 | 11 | 16 => Constant { numbers: Numbers::Floats(x.to_floats()), ..x.clone() },
                9 => x.with_ints(x.to_floats().iter().map(|n| i64::from(*n != 0.0)).collect()),
                _ => x.with_ints(x.to_ints().to_vec()),
            })
        }
        "Shape" => {
            let dims: Vec<i64> = operand(0)?.dims.iter().map(|extent| *extent as i64).collect();
            one(shape(node, &dims))
        }
        "Size" => one(Constant::ints(vec![], [operand(0)?.len() as i64])),
        "Reshape" => {
            let x = operand(0)?;
            one(x.reshaped(reshaped(node, &x.dims, &operand(1)?.to_ints())?))
        }
        "Flatten" => {
            let x = operand(0)?;
            one(x.reshaped(flattened(node, &x.dims)?))
        }
        "Squeeze" => {
            let x = operand(0)?;
            one(x.reshaped(squeezed(&x.dims, list("axes", 1).as_deref())?))
        }
        "Unsqueeze" => {
            let x = operand(0)?;
            one(x.reshaped(unsqueezed(&x.dims, &list("axes", 1).ok_or("has no axes")?)?))
        }
        "Transpose" => {
            let x = operand(0)?;
            let order = order(node, x.dims.len())?;
            let all = strides(&x.dims);
            let dims: Vec<usize> = order.iter().map(|axis| x.dims[*axis]).collect();
            one(x.pick(dims.clone(), places(dims, 0, order.iter().map(|axis| all[*axis]).collect())))
        }
        "Expand" => {
            let x = operand(0)?;
            let dims = broadcast(&x.dims, &extents(&operand(1)?.to_ints())?)?;
            one(repeated(x, &dims)?)
        }
        "Tile" => {
            let (x, times) = (operand(0)?, extents(&operand(1)?.to_ints())?);
            let shape = tiled(&x.dims, &times)?;
            let (all, mut dims, mut steps) = (strides(&x.dims), vec![], vec![]);
            for axis in 0..times.len() {
                dims.extend([times[axis], x.dims[axis]]);
                steps.extend([0, all[axis]]);
            }
            one(x.pick(shape, places(dims, 0, steps)))
        }
        "Gather" => {
            let (x, index) = (operand(0)?, operand(1)?);
            let axis = axis(node.int("axis", 0), x.dims.len())?;
            let chosen: Vec<usize> = indices(&index.to_ints(), x.dims[axis])?;
            let (outer, inner) = (&x.dims[..axis], &x.dims[axis + 1..]);
            let dims = [outer, &index.dims, inner].concat();
            counted(&dims)?;
            let [before, after] = [outer, inner].map(|dims| dims.iter().product::<usize>());
            let at = (0..before).flat_map(|o| {
                let extent = x.dims[axis];
                chosen.iter().flat_map(move |i| (0..after).map(move |k| (o * extent + i) * after + k))
            });
            one(x.pick(dims, at))
        }
        "Slice" => {
            let x = operand(0)?;
            let ranges = ranges(node, operands, &x.dims)?;
            let all = strides(&x.dims);
            let dims: Vec<usize> = ranges.iter().map(|range| range.count).collect();
            // Backwards too: the places are found one by one.
            let mut chosen = vec![0];
            for (range, stride) in ranges.iter().zip(&all) {
                chosen =
                    chosen.iter().flat_map(|at| (0..range.count).map(move |i| at + range.at(i) * stride)).collect();
            }
            one(x.pick(dims, chosen.into_iter()))
        }
        "Concat" => {
            let parts = (0..operands.len()).map(operand).collect::<Result<Vec<_>, _>>()?;
            let first = parts.first().ok_or("has no operands")?;
            let axis = axis(node.int("axis", 0), first.dims.len())?;
            let outer: usize = first.dims[..axis].iter().product();
            let fits =
                |part: &&Constant| part.dims.len() == first.dims.len() && part.dims[..axis] == first.dims[..axis];
            if !parts.iter().all(fits) {
                return Err("has operands of different extents".into());
            }
            let mut dims = first.dims.clone();
            dims[axis] = parts.iter().map(|part| part.dims[axis]).sum();
            counted(&dims)?;
            let rows = |len: usize| len / outer.max(1);
            let is_ints = parts.iter().all(|part| matches!(part.numbers, Numbers::Ints(_)));
            let outer = 0..outer;
            one(if is_ints {
                let lists: Vec<_> = parts.iter().map(|part| part.to_ints()).collect();
                let joined = outer
                    .flat_map(|o| lists.iter().flat_map(move |l| l[o * rows(l.len())..][..rows(l.len())].to_vec()));
                Constant::ints(dims, joined.collect::<Vec<_>>())
            } else {
                let lists: Vec<_> = parts.iter().map(|part| part.to_floats()).collect();
                let joined = outer
                    .flat_map(|o| lists.iter().flat_map(move |l| l[o * rows(l.len())..][..rows(l.len())].to_vec()));
                Constant::floats(dims, joined.collect::<Vec<_>>())
            })
        }
        "Split" => {
            let x = operand(0)?;
            let axis = axis(node.int("axis", 0), x.dims.len())?;
            let all = strides(&x.dims);
            let mut start = 0;
            let part = |count: usize| {
                let dims = [&x.dims[..axis], &[count], &x.dims[axis + 1..]].concat();
                let first = start * all[axis];
                start += count;
                x.pick(dims.clone(), places(dims, first, all.clone()))
            };
            Ok(Some(parts(node, list("split", 1), x.dims[axis])?.into_iter().map(part).collect()))
        }
        "OneHot" => {
            let (index, depth, values) = (operand(0)?, extents(&operand(1)?.to_ints())?, operand(2)?);
            let ([depth], 2) = (&depth[..], values.len()) else {
                return Err("has no single depth, or not two values".into());
            };
            let axis = axis(node.int("axis", -1), index.dims.len() + 1)?;
            let dims = [&index.dims[..axis], &[*depth], &index.dims[axis..]].concat();
            counted(&dims)?;
            let inner = index.dims[axis..].iter().product::<usize>().max(1);
            let hot = index.to_ints();
            // A negative index counts from the end.
            let is_hot = |at: usize| {
                let index = hot[at / (inner * depth) * inner + at % inner];
                let place = (at / inner % depth) as i64;
                index == place || index.wrapping_add(*depth as i64) == place
            };
            one(values.pick(dims.clone(), (0..dims.iter().product()).map(|at| usize::from(is_hot(at)))))
        }
        "Range" => {
            let [start, limit, step] = [0, 1, 2].map(|i| operand(i).map(Constant::only));
            let (Some(start), Some(limit), Some(step)) = (start?, limit?, step?) else {
                return Err("has no single numbers".into());
            };
            let count = f64::from(limit - start) / f64::from(step);
            if count.is_nan() || count > MOST as f64 {
                return Err("has too many numbers".into());
            }
            let numbers: Vec<f32> = (0..count.ceil().max(0.0) as usize).map(|i| start + i as f32 * step).collect();
            let range = Constant::floats(vec![numbers.len()], numbers);
            one(range.like(operand(0)?))
        }
        "Where" => {
            let (condition, yes, no) = (operand(0)?, operand(1)?, operand(2)?);
            let dims = broadcast(&broadcast(&condition.dims, &yes.dims)?, &no.dims)?;
            let [condition, yes, no] = [condition, yes, no].map(|x| repeated(x, &dims));
            let (condition, yes, no) = (condition?, yes?, no?);
            let condition = condition.to_ints();
            let is_ints = [&yes, &no].iter().all(|x| matches!(x.numbers, Numbers::Ints(_)));
            one(if is_ints {
                let (yes, no) = (yes.to_ints(), no.to_ints());
                Constant::ints(
                    dims,
                    (0..condition.len()).map(|i| if condition[i] != 0 { yes[i] } else { no[i] }).collect::<Vec<_>>(),
                )
            } else {
                let (yes, no) = (yes.to_floats(), no.to_floats());
                Constant::floats(
                    dims,
                    (0..condition.len()).map(|i| if condition[i] != 0 { yes[i] } else { no[i] }).collect::<Vec<_>>(),
                )
            })
        }
        "ScatterND" => {
            let (x, index, updates) = (operand(0)?, operand(1)?, operand(2)?);
            let depth = index.dims.last().copied().unwrap_or(0);
            if depth == 0 || depth > x.dims.len() {
                return Err("has indices that do not fit".into());
            }
            let all = strides(&x.dims);
            let size = all[depth - 1];
            let (mut numbers, updates) = (x.to_floats().to_vec(), updates.to_floats());
            for (row, place) in index.to_ints().chunks(depth).enumerate() {
                let mut at = 0;
                for (axis, i) in place.iter().enumerate() {
                    at += indices(&[*i], x.dims[axis])?[0] * all[axis];
                }
                let update = updates.get(row * size..(row + 1) * size).ok_or("has too few updates")?;
                numbers[at..at + size].copy_from_slice(update);
            }
            let result = Constant::floats(x.dims.clone(), numbers);
            one(result.like(x))
        }
        "BatchNormalization" => {
            let x = operand(0)?;
            let (channels, plane) = (x.dims.get(1).copied().unwrap_or(1), x.dims.iter().skip(2).product::<usize>());
            let numbers = x.to_floats();
            // Weights are standardised so: by their own mean and variance, as in training.
            let [scale, shift] = if trains(node) {
                own_statistics(node, operands, &numbers, channels, plane)?
            } else {
                batch_norm(node, operands)?
            };
            let normalised = numbers.iter().enumerate().map(|(i, n)| {
                let channel = i / plane.max(1) % channels.max(1);
                n * scale.get(channel).unwrap_or(&1.0) + shift.get(channel).unwrap_or(&0.0)
            });
            one(Constant::floats(x.dims.clone(), normalised.collect::<Vec<_>>()))
        }
        "CumSum" if node.int("exclusive", 0) == 0 && node.int("reverse", 0) == 0 => {
            let x = operand(0)?;
            let along = operand(1)?.only().ok_or("has several axes")?;
            let axis = axis(along as i64, x.dims.len())?;
            let (stride, extent) = (strides(&x.dims)[axis], x.dims[axis]);
            let mut sums = x.to_floats().to_vec();
            for at in (0..sums.len()).filter(|at| !(at / stride).is_multiple_of(extent)) {
                sums[at] += sums[at - stride];
            }
            one(Constant::floats(x.dims.clone(), sums))
        }
        "DequantizeLinear" => {
            let (x, scale) = (operand(0)?, operand(1)?);
            let zero = given(2).map(Constant::to_floats);
            let scale = scale.to_floats();
            let axis = axis(node.int("axis", 1), x.dims.len()).unwrap_or(0);
            let inner: usize = x.dims.iter().skip(axis + 1).product();
            let of = |i: usize| if scale.len() == 1 { 0 } else { i / inner.max(1) % scale.len() };
            let numbers = x.to_floats();
            let real =
                numbers.iter().enumerate().map(|(i, n)| (n - zero.as_ref().map_or(0.0, |z| z[of(i)])) * scale[of(i)]);
            one(Constant::floats(x.dims.clone(), real.collect::<Vec<_>>()))
        }
        "Pow" if operand(0).is_ok_and(|x| matches!(x.numbers, Numbers::Ints(_))) => {
            let (x, exponent) = (operand(0)?, operand(1)?.only().ok_or("has several exponents")?);
            one(x.with_ints(x.to_ints().iter().map(|n| n.pow(exponent as u32)).collect()))
        }
        "MatMul" => {
            let (a, b) = (operand(0)?, operand(1)?);
            let ([.., m, k], [l, n]) = (&a.dims[..], &b.dims[..]) else {
                return Err("has constants of too many axes".into());
            };
            if k != l {
                return Err("has constants that do not fit".into());
            }
            let rows = a.len() / k.max(&1);
            counted(&[rows, *n])?;
            let (x, y) = (a.to_floats(), b.to_floats());
            let product = (0..rows * n).map(|at| (0..*k).map(|i| x[at / n * k + i] * y[i * n + at % n]).sum::<f32>());
            let dims = [&a.dims[..a.dims.len() - 2], &[*m, *n]].concat();
            one(Constant::floats(dims, product.collect::<Vec<_>>()))
        }
        op if op.starts_with("Reduce") => {
            let x = operand(0)?;
            let axes = list("axes", 1).filter(|axes| !axes.is_empty());
            let axes = match axes {
                Some(axes) => axes.iter().map(|a| axis(*a, x.dims.len())).collect::<Result<Vec<_>, _>>()?,
                None => (0..x.dims.len()).collect(),
            };
            reduce(op, x, &axes, node.int("keepdims", 1) != 0).map(|reduced| reduced.map(|reduced| vec![reduced]))
        }
        _ => arithmetic(node, operands),
    }
}

impl Constant {
    /// In integers if another constant is.
    fn like(self, other: &Self) -> Self {
        match other.numbers {
            Numbers::Ints(_) => self.with_ints(self.to_ints().to_vec()),
            Numbers::Floats(_) => self,
        }
    }

    fn with_ints(&self, ints: Vec<i64>) -> Self {
        Self::ints(self.dims.clone(), ints)
    }
}

/// Element by element, of one operand or of two.
fn arithmetic(node: &Node, operands: &[Option<&Constant>]) -> Result<Option<Vec<Constant>>, String> {
    let unary: Option<fn(f32) -> f32> = match &*node.op {
        "Neg" => Some(|x| -x),
        "Abs" => Some(f32::abs),
        "Sqrt" => Some(f32::sqrt),
        "Exp" => Some(f32::exp),
        "Log" => Some(f32::ln),
        "Floor" => Some(f32::floor),
        "Ceil" => Some(f32::ceil),
        "Round" => Some(f32::round_ties_even),
        "Sin" => Some(f32::sin),
        "Cos" => Some(f32::cos),
        "Tanh" => Some(f32::tanh),
        "Reciprocal" => Some(|x| 1.0 / x),
        "Sigmoid" => Some(|x| 1.0 / (1.0 + (-x).exp())),
        "Relu" => Some(|x| x.max(0.0)),
        "Not" => Some(|x| f32::from(u8::from(x == 0.0))),
        _ => None,
    };
    if let (Some(unary), Some(Some(x))) = (unary, operands.first()) {
        let result = Constant::floats(x.dims.clone(), x.to_floats().iter().map(|x| unary(*x)).collect::<Vec<_>>());
        return Ok(Some(vec![result.like(x)]));
    }
    if node.op == "Clip" {
        let x = operands.first().copied().flatten().ok_or("has no operand")?;
        let [low, high] = limits(node, operands);
        let clipped = x.to_floats().iter().map(|x| x.max(low).min(high)).collect::<Vec<_>>();
        let clipped = Constant::floats(x.dims.clone(), clipped);
        return Ok(Some(vec![clipped.like(x)]));
    }
    let truth = |holds: bool| f64::from(u8::from(holds));
    let binary: Option<Box<dyn Fn(f64, f64) -> f64>> = match &*node.op {
        "Add" | "Sum" => Some(Box::new(|a, b| a + b)),
        "Sub" => Some(Box::new(|a, b| a - b)),
        "Mul" => Some(Box::new(|a, b| a * b)),
        "Div" => Some(Box::new(|a, b| a / b)),
        "Pow" => Some(Box::new(f64::powf)),
        "Max" => Some(Box::new(f64::max)),
        "Min" => Some(Box::new(f64::min)),
        "Mod" if node.int("fmod", 0) == 0 => Some(Box::new(|a, b| a - (a / b).floor() * b)),
        "Mod" => Some(Box::new(|a, b| a % b)),
        "Equal" => Some(Box::new(move |a, b| truth(a == b))),
        "Less" => Some(Box::new(move |a, b| truth(a < b))),
        "LessOrEqual" => Some(Box::new(move |a, b| truth(a <= b))),
        "Greater" => Some(Box::new(move |a, b| truth(a > b))),
        "GreaterOrEqual" => Some(Box::new(move |a, b| truth(a >= b))),
        "And" => Some(Box::new(move |a, b| truth(a != 0.0 && b != 0.0))),
        "Or" => Some(Box::new(move |a, b| truth(a != 0.0 || b != 0.0))),
        _ => None,
    };
    let Some(binary) = binary else { return Ok(None) };
    let mut operands = operands.iter().copied().flatten();
    let first = operands.next().ok_or("has no operands")?.clone();
    let compares = ["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or"].contains(&&*node.op);
    let result = operands.try_fold(first, |a, b| {
        let dims = broadcast(&a.dims, &b.dims)?;
        let (x, y) = (repeated(&a, &dims)?, repeated(b, &dims)?);
        Ok::<_, String>(match (&x.numbers, &y.numbers) {
            (Numbers::Ints(x), Numbers::Ints(y)) => {
                let of = |(a, b): (&i64, &i64)| match (&*node.op, *b) {
                    ("Div" | "Mod", 0) => 0,
                    ("Div", b) => a.wrapping_div(b),
                    (_, b) => binary(*a as f64, b as f64) as i64,
                };
                Constant::ints(dims, x.iter().zip(y.iter()).map(of).collect::<Vec<_>>())
            }
            _ => {
                let (x, y) = (x.to_floats(), y.to_floats());
                let of = |(a, b): (&f32, &f32)| binary(f64::from(*a), f64::from(*b)) as f32;
                let result = Constant::floats(dims, x.iter().zip(y.iter()).map(of).collect::<Vec<_>>());
                if compares { result.with_ints(result.to_ints().to_vec()) } else { result }
            }
        })
    })?;
    Ok(Some(vec![result]))
}

fn reduce(op: &str, x: &Constant, axes: &[usize], keeps: bool) -> Result<Option<Constant>, String> {
    let all = strides(&x.dims);
    let kept: Vec<usize> = (0..x.dims.len()).filter(|axis| !axes.contains(axis)).collect();
    let part = |axes: &[usize]| -> (Vec<usize>, Vec<usize>) { axes.iter().map(|a| (x.dims[*a], all[*a])).unzip() };
    let ((outer, outer_strides), (inner, inner_strides)) = (part(&kept), part(axes));
    let numbers = x.to_floats();
    let count = inner.iter().product::<usize>() as f64;
    let values = |first: usize| places(inner.clone(), first, inner_strides.clone()).map(|at| f64::from(numbers[at]));
    let of = |first: usize| {
        Some(match op {
            "ReduceMean" => values(first).sum::<f64>() / count,
            "ReduceSum" => values(first).sum(),
            "ReduceProd" => values(first).product(),
            "ReduceMax" => values(first).fold(f64::NEG_INFINITY, f64::max),
            "ReduceMin" => values(first).fold(f64::INFINITY, f64::min),
            "ReduceL1" => values(first).map(f64::abs).sum(),
            "ReduceL2" => values(first).map(|v| v * v).sum::<f64>().sqrt(),
            "ReduceSumSquare" => values(first).map(|v| v * v).sum(),
            _ => return None,
        } as f32)
    };
    let Some(reduced) = places(outer, 0, outer_strides).map(of).collect::<Option<Vec<f32>>>() else { return Ok(None) };
    let dims =
        (0..x.dims.len()).filter(|a| keeps || kept.contains(a)).map(|a| if kept.contains(&a) { x.dims[a] } else { 1 });
    Ok(Some(Constant::floats(dims.collect(), reduced).like(x)))
}

/// A constant repeated to these extents.
pub fn repeated(x: &Constant, dims: &[usize]) -> Result<Constant, String> {
    if x.dims == dims {
        return Ok(x.clone());
    }
    counted(dims)?;
    let missing = dims.len().checked_sub(x.dims.len()).ok_or("cannot be repeated")?;
    let all = strides(&x.dims);
    let stride = |axis: usize| match axis.checked_sub(missing) {
        Some(own) if x.dims[own] == dims[axis] => Ok(all[own]),
        Some(own) if x.dims[own] != 1 => Err(format!("{:?} does not repeat to {dims:?}", x.dims)),
        _ => Ok(0),
    };
    let steps = (0..dims.len()).map(stride).collect::<Result<Vec<_>, _>>()?;
    Ok(x.pick(dims.to_vec(), places(dims.to_vec(), 0, steps)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hot() {
        let mut node = Node::default();
        node.op = "OneHot".into();
        let (index, depth, values) =
            (Constant::list(&[1, -1]), Constant::list(&[3]), Constant::floats(vec![2], [0.5, 2.0]));
        let hot = fold(&node, &[Some(&index), Some(&depth), Some(&values)]).unwrap().unwrap().remove(0);
        assert_eq!((hot.dims.as_slice(), hot.to_floats().as_ref()), (&[2, 3][..], &[0.5, 2.0, 0.5, 0.5, 0.5, 2.0][..]));
    }
}
