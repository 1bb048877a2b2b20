//! `activation.wgsl`, `activation_grad.wgsl`, `scale_shift.wgsl`, `add.wgsl` and `noise.wgsl`: element-wise kernels.

use super::constant::{Constant, Packing};
use super::context::Context;
use super::dispatch::Dispatch;
use super::epilogue::code;
use super::texel::{blocks, texels};
use crate::graph::{Activation, ParamId};

/// `f(x)`.
pub fn forward(cx: &Context, f: Activation) -> Dispatch {
    let (count, [_, c, h, w]) = (texels(cx.shape()), cx.shape());
    let params = [count, h * w, blocks(c), c].map(|v| v as u32);
    cx.elementwise("activation", &defines(f), params, None, count)
}

/// `dy · f'(saved)`.
pub fn grad(cx: &Context, f: Activation) -> Dispatch {
    let (dy, saved) = (cx.input(0), cx.input(1));
    let (count, image) = (texels(dy), texels(saved) / saved[0]);
    let [_, c, h, w] = dy;
    let params = [count, image, dy[0] / saved[0], h * w, blocks(c), c].map(|v| v as u32);
    cx.elementwise("activation_grad", &defines(f), params, None, count)
}

/// Lanes past the last channel hold any finite numbers, of which some functions make others.
fn defines(f: Activation) -> Vec<(&'static str, u32)> {
    let masked = (!f.is_tame()).then_some(("MASKED", 1));
    [("ACTIVATION", code(f))].into_iter().chain(masked).collect()
}

/// `f(scale · x + shift)`.
pub fn scale_shift(cx: &Context, scale: ParamId, shift: Option<ParamId>) -> Dispatch {
    let [_, c, h, w] = cx.shape();
    let count = texels(cx.shape());
    let constant = Constant::whole(scale, shift, Packing::Channels { channels: c });
    let [x_blocks, x_first] = cx.view(cx.operand(0)).numbers();
    let params = [count as u32, blocks(c) as u32, (h * w) as u32, x_blocks, x_first];
    cx.elementwise("scale_shift", &cx.epilogue.defines(), params, Some(constant), count)
}

/// `a + b`.
pub fn add(cx: &Context) -> Dispatch {
    let count = texels(cx.shape());
    cx.elementwise("add", &[], [count as u32], None, count)
}

/// Noise on images.
pub fn noise(cx: &Context, key: u32, deviation: f32) -> Dispatch {
    let [_, c, h, w] = cx.shape();
    let count = texels(cx.shape());
    let [count32, plane, blocks] = [count, h * w, blocks(c)].map(|v| v as u32);
    cx.elementwise("noise", &[], [count32, plane, blocks, key, deviation.to_bits()], None, count)
}
