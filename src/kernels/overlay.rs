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
    zero: f32,
    unused: u32,
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
        zero: if overlay.signed { 0.5 } else { 0.0 },
        unused: 0,
    };
    cx.elementwise("overlay", &[], params, None, h * w)
}
