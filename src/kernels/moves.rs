//! `rearrange.wgsl`, `broadcast.wgsl`, `unfold.wgsl`, `vary.wgsl` and `mirror.wgsl`: numbers that are moved, repeated or added, and constants.

use bytemuck::{Pod, Zeroable};

use super::constant::{Constant, Packing};
use super::context::Context;
use super::dispatch::Dispatch;
use super::texel::{blocks, texels};
use crate::graph::{Arithmetic, Digit, MAX_DIGITS, Omission, ParamId, Rearrange};

/// In sync with `rearrange.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    x_size: [u32; 4],
    y_size: [u32; 4],
    x_start: [u32; 4],
    y_start: [u32; 4],
    digit: [[u32; 4]; MAX_DIGITS],
    texels: u32,
    kept: u32,
    sums: u32,
    padding: u32,
}

/// Trained numbers as a value.
pub fn constant(cx: &Context, values: ParamId, [c, h, w]: [usize; 3]) -> Dispatch {
    let count = texels(cx.shape());
    let numbers = Constant::whole(values, None, Packing::Map { channels: c, plane: h * w });
    cx.elementwise("copy", &[], [count, count, count, 0].map(|v| v as u32), Some(numbers), count)
}

/// Numbers that are moved, repeated or added.
pub fn rearrange(cx: &Context, moves: &Rearrange) -> Dispatch {
    let count = texels(cx.shape());
    let whole = keeps_channels(moves);
    let (stays, mut summed): (Vec<Digit>, Vec<Digit>) = moves.digits.iter().partition(|digit| digit.to.is_some());
    let mut digits = stays;
    digits.sort_by_key(|digit| std::cmp::Reverse(digit.to.map(|(_, stride)| stride)));
    let kept = digits.len();
    let sums = summed.iter().map(|digit| digit.extent).product::<usize>();
    digits.append(&mut summed);
    let mut digit = [[0; 4]; MAX_DIGITS];
    for (packed, Digit { extent, from, to }) in digit.iter_mut().zip(&digits) {
        let ((from_axis, from_stride), (to_axis, to_stride)) = (from.unwrap_or((3, 0)), to.unwrap_or((3, 1)));
        let extent = if whole && from_axis == 0 { blocks(*extent) } else { *extent };
        *packed = [extent, to_stride, from_stride, to_axis + 4 * from_axis].map(|v| v as u32);
    }
    let ([xc, xh, xw], [yc, yh, yw]) = (moves.from.extents, moves.to.extents);
    let start = |[c, h, w]: [usize; 3]| [c, h, w, 0].map(|v| v as u32);
    let params = Params {
        x_size: [blocks(xc) * xh * xw, blocks(xc), xh, xw].map(|v| v as u32),
        y_size: [yc, blocks(yc), yh, yw].map(|v| v as u32),
        x_start: start(moves.from.start),
        y_start: start(moves.to.start),
        digit,
        texels: count as u32,
        kept: kept as u32,
        sums: sums as u32,
        padding: 0,
    };
    let added = digits.len() - kept;
    let defines = [(whole, ("WHOLE", 1)), (added > 0, ("ADDED", added as u32))];
    let defines: Vec<_> = defines.into_iter().filter_map(|(is_so, define)| is_so.then_some(define)).collect();
    cx.elementwise("rearrange", &defines, params, None, count)
}

/// Whether each channel stays where it is.
fn keeps_channels(moves: &Rearrange) -> bool {
    let is_of_channels = |place: Option<(usize, usize)>| place.is_some_and(|(axis, _)| axis == 0);
    let mut digits = moves.digits.iter().filter(|digit| is_of_channels(digit.from) || is_of_channels(digit.to));
    let [from, to] = [moves.from, moves.to].map(|side| (side.extents[0], side.start[0]));
    let all = Digit { extent: from.0, from: Some((0, 1)), to: Some((0, 1)) };
    from == to && from.1 == 0 && digits.next().map_or(from.0 == 1, |digit| *digit == all) && digits.next().is_none()
}

/// `a + b` or `a · b`, with `b` repeated.
pub fn broadcast(cx: &Context, op: Arithmetic) -> Dispatch {
    let ([m, c, h, w], [n, bc, bh, bw]) = (cx.shape(), cx.input(1));
    let count = texels(cx.shape());
    let stride = |extent: usize, stride: usize| if extent > 1 { stride } else { 0 };
    let strides = [stride(blocks(bc), bh * bw), stride(bh, bw), stride(bw, 1)];
    let [b_block, b_row, b_column] = strides;
    let params = [count, blocks(c), h, w, m / n, blocks(bc) * bh * bw, b_block, b_row, b_column].map(|v| v as u32);
    let mut defines = vec![];
    if op == Arithmetic::Multiply {
        defines.push(("MULTIPLY", 1));
    }
    if bc == 1 && c > 1 {
        defines.push(("SINGLE", 1));
    }
    cx.elementwise("broadcast", &defines, params, None, count)
}

/// Channels as images.
pub fn unfold(cx: &Context) -> Dispatch {
    let [_, c, h, w] = cx.input(0);
    let count = texels(cx.shape());
    cx.elementwise("unfold", &[], [count, c, h * w, blocks(c)].map(|v| v as u32), None, count)
}

/// Images as columns.
pub fn columns(cx: &Context, count: usize) -> Dispatch {
    let all = texels(cx.shape());
    let params = [all, count, 1, blocks(cx.shape()[1])].map(|v| v as u32);
    cx.elementwise("unfold", &[("COLUMNS", 1)], params, None, all)
}

/// Columns in reverse.
pub fn mirror(cx: &Context) -> Dispatch {
    let count = texels(cx.shape());
    cx.elementwise("mirror", &[], [count, cx.shape()[3]].map(|v| v as u32), None, count)
}

/// Each image several times with something left out.
pub fn vary(cx: &Context, omission: Omission, first: usize, count: usize) -> Dispatch {
    let [_, c, h, w] = cx.shape();
    let all = texels(cx.shape());
    let defines: &[_] = if omission == Omission::OtherPixels { &[("PIXELS", 1)] } else { &[] };
    cx.elementwise("vary", defines, [all, count, h * w, blocks(c), first].map(|v| v as u32), None, all)
}
