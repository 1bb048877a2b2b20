//! `layer_norm.wgsl` and `layer_norm_grad.wgsl`.

use bytemuck::{Pod, Zeroable};

use super::constant::{Constant, Packing};
use super::context::Context;
use super::dispatch::Dispatch;
use super::texel::blocks;
use crate::graph::LayerNorm;

/// In sync with both shaders. The forward shader has no `per_image`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    pixels: u32,
    plane: u32,
    blocks: u32,
    channels: u32,
    eps: f32,
    per_image: u32,
}

/// Normalised channels.
pub fn forward(cx: &Context, norm: &LayerNorm) -> Dispatch {
    kernel(cx, "layer_norm", norm, 1)
}

/// `dx` from `dy` and `x`.
pub fn grad(cx: &Context, norm: &LayerNorm) -> Dispatch {
    kernel(cx, "layer_norm_grad", norm, cx.input(0)[0] / cx.input(1)[0])
}

fn kernel(cx: &Context, shader: &'static str, norm: &LayerNorm, per_image: usize) -> Dispatch {
    let [n, c, h, w] = cx.shape();
    let [pixels, plane, blocks, channels, per_image] = [n * h * w, h * w, blocks(c), c, per_image].map(|v| v as u32);
    let params = Params { pixels, plane, blocks, channels, eps: norm.eps, per_image };
    let constant = Constant::whole(norm.weight, Some(norm.bias), Packing::Channels { channels: c });
    cx.elementwise(shader, &[], params, Some(constant), n * h * w)
}
