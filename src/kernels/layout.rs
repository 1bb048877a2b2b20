//! `normalise.wgsl`, `pack.wgsl` and `unpack.wgsl`: the way into and out of the engine's layout.

use bytemuck::{Pod, Zeroable};

use super::{Context, Dispatch, blocks, texels};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct NormaliseParams {
    mean: [f32; 4],
    std: [f32; 4],
    texels: u32,
    pad: [u32; 3],
}

/// Pixels to features.
pub fn normalise(cx: &Context, mean: [f32; 3], std: [f32; 3]) -> Dispatch {
    let four = |[r, g, b]: [f32; 3], fourth: f32| [r, g, b, fourth];
    let count = texels(cx.shape());
    let params = NormaliseParams { mean: four(mean, 0.0), std: four(std, 1.0), texels: count as u32, pad: [0; 3] };
    cx.elementwise("normalise", &[], params, None, count)
}

/// Numbers to features.
pub fn pack(cx: &Context) -> Dispatch {
    let [_, c, h, w] = cx.shape();
    let count = texels(cx.shape());
    cx.elementwise("pack", &[], [count, c, blocks(c), h * w].map(|v| v as u32), None, count)
}

/// Features to numbers.
pub fn unpack(cx: &Context) -> Dispatch {
    let [n, c, h, w] = cx.shape();
    let count = n * c * h * w;
    cx.elementwise("unpack", &[], [count, c, blocks(c), h * w].map(|v| v as u32), None, count)
}
