//! `separable.wgsl`: a depthwise convolution, and the 1×1 convolution after it in the same kernel.

use bytemuck::{Pod, Zeroable};

use super::constant::{Constant, Packing};
use super::conv::{Geometry, Pass, columns, geometry, row_defines};
use super::tile::Tile;
use super::{Channels, Context, Dispatch, Operand, Profile, Taps, blocks};
use crate::graph::{Conv2d, Shape};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    geometry: Geometry,
    blocks: u32,
    out_blocks: u32,
    images: u32,
    strips: u32,
    y_blocks: u32,
    y_first: u32,
}

/// The register tile for all of a 1×1 convolution's outputs, if the profile has one that keeps the device busy: with
/// more tiles each would make the depthwise convolution again.
pub fn tile(profile: &Profile, [n, out, h, w]: Shape) -> Option<Tile> {
    let even = if profile.subgroup.is_some() { 2 } else { 1 };
    let blocks = (blocks(out) as u32).next_multiple_of(even);
    let pixels = columns((profile.sums / blocks).min(profile.row), w);
    let tile = Tile { blocks, pixels, subgroup: profile.subgroup.unwrap_or(0), shared: false };
    (pixels > 2 && (n * h * strips(&tile, w)) as f64 >= profile.costs.parallel).then_some(tile)
}

/// Strips of a row.
fn strips(tile: &Tile, width: usize) -> usize {
    width.div_ceil(tile.pixels as usize)
}

/// `y = finish(w · f(depthwise ∗ x + shift) + b)`, the depthwise convolution being the context's prologue.
pub fn lower(cx: &Context, conv: &Conv2d, prologue: &Conv2d, tile: Tile) -> Dispatch {
    let [n, out, h, w] = cx.shape();
    let input = cx.input(0)[1];
    let pass = Pass::forward(&prologue.window, [h, w]);
    let strips = strips(&tile, w);
    let to = cx.place(cx.epilogue.value);
    let [y_blocks, y_first] = to.numbers();
    let [blocks, out_blocks, images, strips32] = [blocks(input), blocks(out), n, strips].map(|v| v as u32);
    let params =
        Params { geometry: geometry(cx, &pass), blocks, out_blocks, images, strips: strips32, y_blocks, y_first };
    let channels = Channels { out, input, weight_groups: 1, groups: 1, gradient: false };
    let taps = Taps::all([1; 2]);
    let constant =
        Constant::whole(conv.weight, conv.bias, Packing::Conv { channels, taps, tile: tile.blocks as usize });
    let (before, defines) = cx.prologue.map(|p| p.operand(cx.graph)).unzip();
    let (epilogue, extra) = cx.epilogue();
    let number = pass.taps.number() as u32;
    let window = vec![("TAPS", number), ("FETCHES", (number + 1).div_ceil(tile.subgroup.max(1)))];
    let defines =
        [tile.defines(), window, row_defines(&pass, tile.pixels), defines.unwrap_or_default(), epilogue].concat();
    let mut operands = vec![Operand::Read(cx.operand(0)), Operand::Constant(constant), Operand::Write(to.value)];
    operands.extend(before.into_iter().chain(extra));
    let invocations = (n * h * strips).next_multiple_of(tile.subgroup.max(1) as usize);
    cx.independent(cx.profile.tiled, "separable", &defines, params, operands, invocations)
}
