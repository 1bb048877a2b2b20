//! Maps from activations and gradients, and the tail on whole maps: `weighted_sum.wgsl`, `channel_weights.wgsl`,
//! `plane_max.wgsl`, `magnitude.wgsl`, `eigenvector.wgsl`, `orient.wgsl`, `min_max.wgsl`, `rescale.wgsl` and `resize.wgsl`. The mean of the gradients is computed by
//! `reduce.wgsl`.

use bytemuck::Pod;

use super::context::Context;
use super::dispatch::{Dispatch, Operand};
use super::geometry::columns;
use super::prologue::rescaling;
use super::texel::{blocks, texels};
use crate::graph::{Interpolation, Op, SAMPLE, Scaling, Term, Weighing};

/// The sum over channels of weights times activations.
pub fn weighted_sum(cx: &Context, term: Term) -> Dispatch {
    let [n, c, ..] = cx.input(0);
    let [m, _, h, w] = cx.shape();
    let params = [m * h * w, h * w, blocks(c), m / n, c].map(|v| v as u32);
    let mut defines = vec![];
    if cx.input(1)[2..] != [1, 1] {
        defines.push(("FULL", 1));
    }
    match term {
        Term::Product => {}
        Term::PositiveWeight => defines.push(("POSITIVE_WEIGHT", 1)),
        Term::PositiveProduct => defines.push(("POSITIVE_PRODUCT", 1)),
    }
    cx.cooperative("weighted_sum", &defines, params, None, m * h * w)
}

/// Weights of channels from activations and gradients.
pub fn channel_weights(cx: &Context, weighing: Weighing, eps: f32) -> Dispatch {
    let ([n, c, h, w], [m, ..]) = (cx.input(0), cx.shape());
    let planes = m * blocks(c);
    let [planes32, plane, blocks, per_image] = [planes, h * w, blocks(c), m / n].map(|v| v as u32);
    let defines: &[_] = if weighing == Weighing::Share { &[("SHARE", 1)] } else { &[] };
    cx.cooperative("channel_weights", defines, [planes32, plane, blocks, per_image, eps.to_bits()], None, planes)
}

/// The greatest number of each channel.
pub fn plane_max(cx: &Context) -> Dispatch {
    let [m, c, h, w] = cx.input(0);
    let planes = m * blocks(c);
    cx.cooperative("plane_max", &[], [planes, h * w].map(|v| v as u32), None, planes)
}

/// The greatest magnitude over channels.
pub fn magnitude(cx: &Context) -> Dispatch {
    let [m, c, h, w] = cx.input(0);
    let params = [m * h * w, h * w, blocks(c), c].map(|v| v as u32);
    cx.elementwise("magnitude", &[], params, None, m * h * w)
}

/// The first eigenvector of each matrix.
pub fn eigenvector(cx: &Context, root: bool, indefinite: bool) -> Dispatch {
    let [m, d, ..] = cx.shape();
    // Barriers cost more than sums where few invocations run at once.
    let lanes = if d <= 64 { cx.profile.wide } else { cx.profile.wide.max(64) };
    // lavapipe silently ends all loops of an invocation after 65,536 steps together.
    let of_step = d.div_ceil(lanes as usize) * (d.div_ceil(16) + 2) + 16;
    let steps = (60_000 / of_step).min(1000);
    let mut defines = vec![("WORKGROUP", lanes), ("LANES", lanes), ("OUTPUTS", 1), ("COOPERATIVE", 1)];
    if root {
        defines.push(("ROOT", 1));
    }
    if indefinite {
        defines.push(("INDEFINITE", 1));
    }
    cx.dispatch("eigenvector", &defines, [d, blocks(d), steps, m].map(|v| v as u32), cx.plainly(None), m)
}

/// Each map with the sign that makes its greatest magnitude positive.
pub fn orient(cx: &Context) -> Dispatch {
    let [m, _, h, w] = cx.shape();
    cx.elementwise("orient", &[], [(m * h * w) as u32, (h * w) as u32], None, m * h * w)
}

/// The images of one operand, then those of the other.
pub fn stack(cx: &Context) -> Vec<Dispatch> {
    let first = texels(cx.input(0));
    let copy = |i: usize, first: usize| {
        let count = texels(cx.input(i));
        let operands = vec![Operand::Read(cx.operand(i)), Operand::Write(cx.id)];
        cx.independent(cx.profile.flat, "copy", &[], [count, count, 0, first].map(|v| v as u32), operands, count)
    };
    vec![copy(0, 0), copy(1, first)]
}

/// Range of each map.
pub fn min_max(cx: &Context) -> Dispatch {
    let [.., h, w] = cx.input(0);
    range(cx, vec![], [(h * w) as u32, cx.shape()[0] as u32], cx.plainly(None))
}

/// Range of each map after the resize, without the resized map.
pub fn resized_range(cx: &Context, [oh, ow]: [usize; 2]) -> Dispatch {
    let [.., h, w] = cx.input(0);
    let [columns, rows] = [ow.min(2 * w), oh.min(2 * h)];
    let params = [w, h, ow, oh, columns, rows, columns * rows, cx.shape()[0]].map(|v| v as u32);
    let (ranges, defines) = scaled(cx);
    let operands = [Operand::Read(cx.operand(0)), Operand::Write(cx.id)].into_iter().chain(ranges).collect();
    range(cx, [defines, vec![("RESIZED", 1)]].concat(), params, operands)
}

fn range(cx: &Context, defines: Vec<(&'static str, u32)>, params: impl Pod, operands: Vec<Operand>) -> Dispatch {
    let wide = cx.profile.wide;
    let all = [&[("WORKGROUP", wide), ("LANES", wide)], &defines[..]].concat();
    cx.dispatch("min_max", &all, params, operands, cx.shape()[0])
}

/// What a part of each map does not exceed. The invocations of a workgroup share a map; a step of the search reads all of it.
pub fn percentile(cx: &Context, part: f32) -> Dispatch {
    let [m, _, h, w] = cx.input(0);
    let apart = (h * w).div_ceil(SAMPLE);
    let count = (h * w).div_ceil(apart);
    let below = ((f64::from(part) * count as f64).ceil() as usize).max(1);
    let defines = [("WORKGROUP", 256), ("LANES", 256), ("OUTPUTS", 1), ("COOPERATIVE", 1)];
    cx.dispatch("percentile", &defines, [h * w, count, apart, below, m].map(|v| v as u32), cx.plainly(None), m)
}

/// Scales each map, as texels or plain numbers.
pub fn rescale(cx: &Context, scaling: Scaling) -> Dispatch {
    let [m, _, h, w] = cx.shape();
    let defines = [rescaling(scaling), plain(cx)].concat();
    cx.elementwise("rescale", &defines, [(m * h * w) as u32, (h * w) as u32], None, m * h * w)
}

/// Resize. If the context's prologue is a rescaling, values are rescaled when they are read. If its epilogue is one, the
/// results are rescaled too.
pub fn resize(cx: &Context, by: Interpolation) -> Dispatch {
    let [_, _, h, w] = cx.input(0);
    let [m, _, oh, ow] = cx.shape();
    let pixels = columns(cx.profile.row, ow);
    let strips = ow.div_ceil(pixels as usize);
    let params = [w, h, ow, oh, m, strips].map(|v| v as u32);
    let (ranges, mut defines) = scaled(cx);
    let mut operands = vec![Operand::Read(cx.operand(0)), Operand::Write(cx.epilogue.value)];
    if let (epilogue, Some(spans)) = cx.epilogue() {
        defines.extend(epilogue);
        operands.push(spans);
    }
    operands.extend(ranges);
    defines.extend(plain(cx));
    defines.push(("PIXELS", pixels));
    match by {
        Interpolation::Linear => {}
        Interpolation::Corners => defines.push(("CORNERS", 1)),
        Interpolation::Nearest => defines.push(("NEAREST", 1)),
        Interpolation::Cubic => defines.push(("CUBIC", 1)),
    }
    cx.independent(cx.profile.flat, "resize", &defines, params, operands, m * oh * strips)
}

/// The prologue's ranges, by which values are rescaled when they are read, and its defines.
fn scaled(cx: &Context) -> (Option<Operand>, Vec<(&'static str, u32)>) {
    let (ranges, defines) = cx.prologue.map(|p| p.operand(cx.graph)).unzip();
    (ranges, defines.unwrap_or_default())
}

/// Defines for `shared/write_map.wgsl`.
fn plain(cx: &Context) -> Vec<(&'static str, u32)> {
    if cx.graph.nodes[cx.epilogue.value].op == Op::Unpack { vec![("PLAIN", 1)] } else { vec![] }
}
