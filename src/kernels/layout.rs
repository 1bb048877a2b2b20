//! `normalise.wgsl`, `pack.wgsl` and `unpack.wgsl`: conversion to and from the engine's layout.

use bytemuck::{Pod, Zeroable};

use super::context::Context;
use super::dispatch::Dispatch;
use super::texel::{Texel, blocks, texels};
use crate::graph::Shape;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct NormaliseParams {
    mean: [f32; 4],
    std: [f32; 4],
    texels: u32,
    channels: u32,
    pad: [u32; 2],
}

/// Pixels to features.
pub fn normalise(cx: &Context, mean: &[f32], std: &[f32]) -> Dispatch {
    let four = |values: &[f32], absent: f32| [0, 1, 2, 3].map(|c| values.get(c).copied().unwrap_or(absent));
    let (count, channels) = (texels(cx.shape()), mean.len() as u32);
    let (mean, std) = (four(mean, 0.0), four(std, 1.0));
    let params = NormaliseParams { mean, std, texels: count as u32, channels, pad: [0; 2] };
    cx.elementwise("normalise", &[], params, None, count)
}

/// Numbers to features.
pub fn pack(cx: &Context) -> Dispatch {
    let [_, c, h, w] = cx.shape();
    let count = texels(cx.shape());
    cx.elementwise("pack", &[], [count, c, blocks(c), h * w].map(|v| v as u32), None, count)
}

/// Numbers to the texels of features, with the leading zero texel. Computed on the CPU.
pub fn texels_of(numbers: &[u8], [n, c, h, w]: Shape) -> Vec<Texel> {
    let plane = h * w;
    let mut texels = vec![[0.0; 4]; 1 + texels([n, c, h, w])];
    for (i, channel) in numbers.chunks_exact(plane * 4).enumerate() {
        let (image, channel_of) = (i / c, i % c);
        let block = &mut texels[1 + (image * blocks(c) + channel_of / 4) * plane..][..plane];
        for (texel, number) in block.iter_mut().zip(channel.chunks_exact(4)) {
            texel[channel_of % 4] = f32::from_ne_bytes([number[0], number[1], number[2], number[3]]);
        }
    }
    texels
}

/// Texels of features, with the leading zero texel, to numbers. Computed on the CPU.
pub fn numbers_of(texels: &[u8], [n, c, h, w]: Shape) -> Vec<u8> {
    let (texels, plane): (Vec<Texel>, usize) = (bytemuck::pod_collect_to_vec(texels), h * w);
    let number = |i: usize| {
        let (channel, pixel) = (i / plane % c, i % plane);
        texels[1 + (i / plane / c * blocks(c) + channel / 4) * plane + pixel][channel % 4]
    };
    (0..n * c * plane).flat_map(|i| number(i).to_ne_bytes()).collect()
}

/// Features to numbers.
pub fn unpack(cx: &Context) -> Dispatch {
    let [n, c, h, w] = cx.shape();
    let count = n * c * h * w;
    cx.elementwise("unpack", &[], [count, c, blocks(c), h * w].map(|v| v as u32), None, count)
}
