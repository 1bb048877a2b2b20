//! `conv.wgsl`, `pointwise.wgsl` and `depthwise.wgsl`: convolutions and their gradients.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use super::constant::{Constant, Packing};
use super::{Context, Dispatch, blocks};
use crate::graph::{Conv2d, Shape, Window};

/// Geometry of a window, width before height; in sync with `conv.wgsl` and `depthwise.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Geometry {
    in_size: [u32; 2],
    out_size: [u32; 2],
    kernel: [u32; 2],
    stride: [u32; 2],
    dilation: [u32; 2],
    pad: [u32; 2],
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct ConvParams {
    geometry: Geometry,
    in_blocks: u32,
    out_blocks: u32,
    groups: u32,
    tiles: u32,
    strips: u32,
    pixels: u32,
    activation: u32,
    first: u32,
    piece: u32,
    pad: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct PointwiseParams {
    in_blocks: u32,
    out_blocks: u32,
    first: u32,
    piece: u32,
    strips: u32,
    pixels: u32,
    plane: u32,
    activation: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct DepthwiseParams {
    geometry: Geometry,
    blocks: u32,
    planes: u32,
    strips: u32,
    activation: u32,
}

/// `y = f(w ∗ x + b)`.
pub fn forward(cx: &Context, conv: &Conv2d) -> Vec<Dispatch> {
    kernel(cx, conv, false)
}

/// `dx` from `dy`.
pub fn grad(cx: &Context, conv: &Conv2d) -> Vec<Dispatch> {
    kernel(cx, conv, true)
}

fn kernel(cx: &Context, conv: &Conv2d, gradient: bool) -> Vec<Dispatch> {
    let [n, input, in_h, in_w]: Shape = cx.input(0);
    let [_, out, h, w] = cx.shape();
    let window = &conv.window;
    let taps = window.kernel.iter().product();
    let mut defines = vec![("PIXELS", cx.profile.tile[1])];
    if gradient {
        defines.push(("GRADIENT", 1));
    }
    let bias = if gradient { None } else { conv.bias };
    let geometry = geometry(window, [in_h, in_w], [h, w]);
    let strips = |pixels: usize| pixels.div_ceil(cx.profile.tile[1] as usize);

    if conv.groups == input && conv.groups == out {
        let constant = Constant::whole(conv.weight, bias, Packing::Depthwise { channels: out, taps });
        let (planes, strips) = (n * blocks(out), strips(h * w));
        let params = DepthwiseParams {
            geometry,
            blocks: blocks(out) as u32,
            planes: planes as u32,
            strips: strips as u32,
            activation: cx.activation(),
        };
        return vec![cx.tiled("depthwise", &defines, params, constant, planes * strips)];
    }
    // Groups that do not fill blocks of four channels become one group with zeros between them.
    let whole = (input / conv.groups).is_multiple_of(4) && (out / conv.groups).is_multiple_of(4);
    let groups = if whole { conv.groups } else { 1 };
    let (in_blocks, out_blocks) = (blocks(input / groups), blocks(out / groups));
    let tile = cx.profile.tile_blocks(out_blocks);
    let tiles = out_blocks.div_ceil(tile);
    let strips = strips(n * h * w);
    let packing = Packing::Conv { out, input, weight_groups: conv.groups, groups, taps, tile, gradient };
    let pieces = Constant::pieces(conv.weight, bias, packing).into_iter();
    defines.push(("BLOCKS", tile as u32));
    if groups == 1 && *window == Window::square(1, 1, 0) {
        defines.retain(|(name, _)| *name != "GRADIENT");
        let params = |rows: &Range<usize>| PointwiseParams {
            in_blocks: in_blocks as u32,
            out_blocks: out_blocks as u32,
            first: rows.start as u32,
            piece: rows.len() as u32,
            strips: strips as u32,
            pixels: (n * h * w) as u32,
            plane: (h * w) as u32,
            activation: cx.activation(),
        };
        let piece = |c: Constant| cx.tiled("pointwise", &defines, params(&c.rows), c.clone(), c.rows.len() * strips);
        return pieces.map(piece).collect();
    }
    let params = |rows: &Range<usize>| ConvParams {
        geometry,
        in_blocks: in_blocks as u32,
        out_blocks: out_blocks as u32,
        groups: groups as u32,
        tiles: tiles as u32,
        strips: strips as u32,
        pixels: (n * h * w) as u32,
        activation: cx.activation(),
        first: rows.start as u32,
        piece: rows.len() as u32,
        pad: 0,
    };
    pieces.map(|c| cx.tiled("conv", &defines, params(&c.rows), c.clone(), c.rows.len() * strips)).collect()
}

fn geometry(window: &Window, input: [usize; 2], output: [usize; 2]) -> Geometry {
    let size = |[vertical, horizontal]: [usize; 2]| [horizontal as u32, vertical as u32];
    Geometry {
        in_size: size(input),
        out_size: size(output),
        kernel: size(window.kernel),
        stride: size(window.stride),
        dilation: size(window.dilation),
        pad: size(window.pad_start),
    }
}
