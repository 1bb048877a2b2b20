//! Resizing of feature maps: each axis by a matrix, or whole pixels repeated.

use super::super::file::Node;
use super::super::lower::{Lowering, Operands, Value, constant, value};
use super::super::tensor::Constant;
use super::linear;
use crate::graph::Op;

type Result<T = Vec<Value>> = std::result::Result<T, String>;

/// `Resize`, and `Upsample` before it.
pub fn resize(l: &mut Lowering, node: &Node, operands: &Operands) -> Result {
    let x = value(operands, 0)?;
    let dims = x.view.dims();
    // Upsample and the first Resize have the scales second; the later Resize third, and sizes fourth.
    let [scales, sizes] = if operands.len() <= 2 && l.opset < 11 { [1, usize::MAX] } else { [2, 3] };
    let numbers = |i: usize| Ok::<_, String>(constant(operands, i)?.filter(|numbers| numbers.len() > 0));
    let given = node.constant("scales");
    let scales = numbers(scales)?.or(given.as_ref()).map(Constant::to_floats);
    let sizes = numbers(sizes)?.map(Constant::to_ints);
    if scales.as_ref().is_some_and(|s| s.len() != dims.len()) || sizes.as_ref().is_some_and(|s| s.len() != dims.len()) {
        return Err("resizes some axes only by names, which is not supported".into());
    }
    let to = |axis: usize| match (&sizes, &scales) {
        (Some(sizes), _) => Ok(sizes[axis].max(0) as usize),
        (None, Some(scales)) => Ok((dims[axis] as f32 * scales[axis]).floor().max(0.0) as usize),
        (None, None) => Err("has neither scales nor sizes".to_owned()),
    };
    let to = (0..dims.len()).map(to).collect::<Result<Vec<_>>>()?;
    if to.contains(&0) || to.iter().any(|extent| *extent > 1 << 14) {
        return Err(format!("resizes {dims:?} to {to:?}"));
    }
    if node.int("antialias", 0) != 0 {
        return Err("smooths what it makes smaller, which is not supported".into());
    }
    let mode = match node.text("mode") {
        "" | "nearest" => Mode::Nearest,
        "linear" | "bilinear" => Mode::Linear,
        "cubic" => Mode::Cubic(f64::from(node.float("cubic_coeff_a", -0.75))),
        other => return Err(format!("has the mode {other}, which is not supported")),
    };
    let corner = match node.text("coordinate_transformation_mode") {
        "" if l.opset < 11 => "asymmetric",
        "" => "half_pixel",
        known @ ("half_pixel" | "pytorch_half_pixel" | "align_corners" | "asymmetric") => known,
        other => return Err(format!("has the coordinates {other}, which are not supported")),
    };
    let rounding = match node.text("nearest_mode") {
        "" if l.opset < 11 => "floor",
        "" => "round_prefer_floor",
        known => known,
    };
    let is_repeated = mode == Mode::Nearest && corner != "align_corners" && rounding != "ceil";
    let of_space = dims.len() == 4 && dims[..2] == to[..2];
    let multiples = dims.iter().zip(&to).all(|(from, to)| to.is_multiple_of(*from));
    let rounds_alike = corner == "half_pixel" || rounding == "floor";
    if is_repeated && of_space && multiples && rounds_alike {
        let x = l.map(x)?;
        let node = l.push(Op::AdaptivePool { to: [to[2], to[3]] }, &[x.node])?;
        return Ok(vec![l.map_of(node)]);
    }
    let mut y = x.clone();
    for axis in (0..dims.len()).filter(|axis| dims[*axis] != to[*axis]) {
        let scale = match &scales {
            Some(scales) if sizes.is_none() => f64::from(scales[axis]),
            _ => to[axis] as f64 / dims[axis] as f64,
        };
        let weight = matrix(mode, corner, rounding, dims[axis], to[axis], scale)?;
        y = linear::along(l, &y, axis, &weight)?;
    }
    Ok(vec![y])
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Nearest,
    Linear,
    /// Keys' cubic with this coefficient.
    Cubic(f64),
}

/// The matrix `[to, from]` that resizes an axis.
fn matrix(mode: Mode, corner: &str, rounding: &str, from: usize, to: usize, scale: f64) -> Result<Constant> {
    let mut weight = vec![0.0; to * from];
    for out in 0..to {
        let at = out as f64;
        let at = match corner {
            "align_corners" => {
                if to > 1 {
                    at * (from - 1) as f64 / (to - 1) as f64
                } else {
                    0.0
                }
            }
            "asymmetric" => at / scale,
            "pytorch_half_pixel" if to == 1 => 0.0,
            _ => (at + 0.5) / scale - 0.5,
        };
        let last = from as f64 - 1.0;
        match mode {
            Mode::Nearest => {
                let nearest = match rounding {
                    "floor" => at.floor(),
                    "ceil" => at.ceil(),
                    "round_prefer_ceil" => (at + 0.5).floor(),
                    "round_prefer_floor" => (at - 0.5).ceil(),
                    other => return Err(format!("has the rounding {other}, which is not supported")),
                };
                weight[out * from + nearest.clamp(0.0, last) as usize] = 1.0;
            }
            Mode::Cubic(a) => {
                let low = at.floor();
                for tap in -1..=2 {
                    let away = (at - low - f64::from(tap)).abs();
                    let value = match away {
                        d if d <= 1.0 => ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0,
                        d => ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a,
                    };
                    weight[out * from + (low + f64::from(tap)).clamp(0.0, last) as usize] += value as f32;
                }
            }
            Mode::Linear => {
                let at = at.clamp(0.0, last);
                let low = at.floor() as usize;
                let high = (low + 1).min(from - 1);
                weight[out * from + low] += (1.0 - (at - low as f64)) as f32;
                weight[out * from + high] += (at - low as f64) as f32;
            }
        }
    }
    Ok(Constant::floats(vec![to, from], weight))
}
