//! `concat.wgsl`, `channels.wgsl`, `gate.wgsl` and `gate_grad.wgsl`: kernels that move, join and weigh channels.

use super::{Context, Dispatch, blocks, texels};

/// The channels of one operand, then those of the other.
pub fn concat(cx: &Context) -> Dispatch {
    let ([_, split, ..], [_, other, ..]) = (cx.input(0), cx.input(1));
    let [_, c, h, w] = cx.shape();
    let count = texels(cx.shape());
    cx.elementwise("concat", &[], [count, blocks(c), h * w, split, blocks(other)].map(|v| v as u32), None, count)
}

/// Channels from `start` on.
pub fn slice(cx: &Context, start: usize) -> Dispatch {
    moved(cx, 1, start as u32)
}

/// Channels put back at `start`.
pub fn slice_grad(cx: &Context, start: usize) -> Dispatch {
    moved(cx, 1, (start as u32).wrapping_neg())
}

/// A channel shuffle.
pub fn shuffle(cx: &Context, groups: usize) -> Dispatch {
    moved(cx, groups, 0)
}

fn moved(cx: &Context, groups: usize, offset: u32) -> Dispatch {
    let from = cx.input(0)[1];
    let [_, c, h, w] = cx.shape();
    let count = texels(cx.shape());
    let [count32, blocks, plane, from, groups, each] =
        [count, blocks(c), h * w, from, groups, c / groups].map(|v| v as u32);
    cx.elementwise("channels", &[], [count32, blocks, plane, from, groups, each, offset], None, count)
}

/// `x · s`.
pub fn gate(cx: &Context) -> Dispatch {
    let [m, c, h, w] = cx.shape();
    let count = texels(cx.shape());
    let params = [count, blocks(c), h * w, m / cx.input(1)[0]].map(|v| v as u32);
    cx.elementwise("gate", &[], params, None, count)
}

/// `Σ_p dy · x`.
pub fn gate_grad(cx: &Context) -> Dispatch {
    let [m, c, h, w] = cx.input(0);
    let planes = m * blocks(c);
    let params = [planes, h * w, blocks(c), m / cx.input(1)[0]].map(|v| v as u32);
    cx.cooperative("gate_grad", &[], params, None, planes)
}
