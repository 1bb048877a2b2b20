//! `overlay.wgsl`: heat maps in colour over a photo.

use bytemuck::{Pod, Zeroable};

use super::context::Context;
use super::dispatch::Dispatch;
use crate::graph::Overlay;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    crop: [f32; 4],
    in_size: [u32; 2],
    out_size: [u32; 2],
    pixels: u32,
    map: u32,
    alpha: f32,
    zero: f32,
    colormap: [[u32; 4]; 64],
}

/// Draws a map's colours over the photo.
pub fn draw(cx: &Context, overlay: &Overlay) -> Dispatch {
    let [_, _, mh, mw] = cx.input(0);
    let [_, _, h, w] = cx.shape();
    let params = Params {
        crop: overlay.crop,
        in_size: [mw as u32, mh as u32],
        out_size: [w as u32, h as u32],
        pixels: (h * w) as u32,
        map: overlay.map as u32,
        alpha: overlay.alpha,
        zero: if overlay.signed { 0.5 } else { 0.0 },
        colormap: std::array::from_fn(|i| std::array::from_fn(|j| overlay.colormap[i * 4 + j])),
    };
    cx.elementwise("overlay", &[], params, None, h * w)
}
