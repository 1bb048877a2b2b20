//! `concat.wgsl`, `channels.wgsl`, `gate.wgsl` and `gate_grad.wgsl`: kernels that move, join and weigh channels.

use super::context::Context;
use super::dispatch::{Dispatch, Operand};
use super::texel::{blocks, texels};

/// The channels of one operand, then those of the other. An operand that lies in its place already needs no copy.
pub fn concat(cx: &Context) -> Vec<Dispatch> {
    let ([n, joint, ..], [_, other, ..]) = (cx.input(0), cx.input(1));
    let [_, c, h, w] = cx.shape();
    let to = cx.view(cx.epilogue.value);
    let placed = [0, 1].map(|i| cx.view(cx.operand(i)).value == to.value);
    if placed == [false; 2] {
        let [y_blocks, y_first] = to.numbers();
        let count = texels(cx.shape());
        let [count32, blocks32, plane, joint, b_blocks] =
            [count, blocks(c), h * w, joint, blocks(other)].map(|v| v as u32);
        let params = [count32, blocks32, plane, joint, b_blocks, y_blocks, y_first];
        return vec![cx.elementwise("concat", &[], params, None, count)];
    }
    let starts = [0, blocks(joint)];
    let copy = |i: usize| {
        let count = texels(cx.input(i));
        let params = [count, count / n, to.blocks * h * w, (to.first + starts[i]) * h * w].map(|v| v as u32);
        let operands = vec![Operand::Read(cx.view(cx.operand(i)).value), Operand::Write(to.value)];
        cx.independent(cx.profile.flat, "copy", &[], params, operands, count)
    };
    [0, 1].into_iter().filter(|&i| !placed[i]).map(copy).collect()
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
