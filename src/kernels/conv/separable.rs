//! `separable.wgsl`: a depthwise convolution and the 1×1 convolution after it, in one kernel.

use bytemuck::{Pod, Zeroable};

use crate::graph::{Conv2d, Shape};
use crate::kernels::constant::{Channels, Constant, Packing};
use crate::kernels::context::Context;
use crate::kernels::dispatch::{Dispatch, Operand};
use crate::kernels::geometry::{Geometry, columns, row_defines};
use crate::kernels::pass::{Pass, Taps};
use crate::kernels::profile::Profile;
use crate::kernels::texel::{self, blocks};
use crate::kernels::tiling::{Product, Tile};

/// Maximum texels that an invocation loads for its expanded windows. They are held at once, and the loops over them are
/// unrolled.
const PATCH: usize = 192;

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

/// The register tile for all outputs of a 1×1 convolution, if the profile has one that keeps the device busy. One tile must
/// take all outputs: with more tiles, each would compute the depthwise convolution again.
pub fn tile(profile: &Profile, [n, out, h, w]: Shape) -> Option<Tile> {
    let even = if profile.subgroup.is_some() { 2 } else { 1 };
    let blocks = (blocks(out) as u32).next_multiple_of(even);
    let pixels = columns((profile.sums / blocks).min(profile.row), w);
    let tile = Tile { blocks, pixels, subgroup: profile.subgroup.unwrap_or(0), team: None };
    (pixels > 2 && (n * h * strips(&tile, w)) as f64 >= profile.costs.parallel).then_some(tile)
}

/// Whether to compute a 1×1 convolution from `x` anew in each window of the depthwise convolution after it, instead of once with
/// a store and loads. The depthwise convolution runs in a kernel with the output tile `tile`. It must be strided: then little is
/// computed twice, and no residual is added, for which there would be no operand.
pub fn expands(profile: &Profile, x: Shape, depthwise: &Conv2d, tile: &Tile, [n, _, h, w]: Shape) -> bool {
    let costs = &profile.costs;
    let (steps, hidden) = (blocks(x[1]), blocks(depthwise.out_channels));
    let window = &depthwise.window;
    let patch = (window.kernel[0] * window.span(1, tile.pixels as usize)) as f64;
    let weights = costs.weights(4 * steps + 1, profile.subgroup.unwrap_or(0));
    let each = hidden as f64 * (patch * steps as f64 * costs.product + weights) + patch * steps as f64 * costs.fetch;
    let (_, once) = Product { groups: 1, out_blocks: hidden, pixels: x[0] * x[2] * x[3], steps }.cut(profile);
    let invocations = (n * h * strips(tile, w)) as f64;
    let strided = window.stride.iter().all(|stride| *stride > 1);
    strided
        && profile.operands > 4
        && patch as usize * steps <= PATCH
        && invocations * each < once + invocations * hidden as f64 * patch * costs.fetch
}

/// Strips of a row.
fn strips(tile: &Tile, width: usize) -> usize {
    width.div_ceil(tile.pixels as usize)
}

/// `y = finish(w · f(depthwise ∗ x + shift) + b)`. The depthwise convolution is the context's prologue.
pub fn lower(cx: &Context, conv: &Conv2d, prologue: &Conv2d, tile: Tile) -> Dispatch {
    let [n, out, h, w] = cx.shape();
    let input = prologue.out_channels;
    let pass = Pass::forward(&prologue.window, [h, w]);
    let strips = strips(&tile, w);
    let to = cx.view(cx.epilogue.value);
    let [y_blocks, y_first] = to.numbers();
    let [blocks, out_blocks, images, strips32] = [blocks(input), blocks(out), n, strips].map(|v| v as u32);
    let params = Params {
        geometry: Geometry::new(&pass, cx.input(0), cx.shape()),
        blocks,
        out_blocks,
        images,
        strips: strips32,
        y_blocks,
        y_first,
    };
    let channels = Channels { out, input, weight_groups: 1, groups: 1, gradient: false };
    let taps = Taps::all([1; 2]);
    let constant =
        Constant::whole(conv.weight, conv.bias, Packing::Conv { channels, taps, tile: tile.blocks as usize });
    let (before, defines) = cx.prologue.map(|p| p.operand(cx.graph)).unzip();
    let (epilogue, extra) = cx.epilogue();
    let number = pass.taps.number() as u32;
    let window = vec![("TAPS", number), ("FETCHES", (number + 1).div_ceil(tile.subgroup.max(1)))];
    let mut defines =
        [tile.defines(), window, row_defines(&pass, tile.pixels), defines.unwrap_or_default(), epilogue].concat();
    let mut operands = vec![Operand::Read(cx.operand(0)), Operand::Constant(constant), Operand::Write(to.value)];
    operands.extend(before);
    if let Some((conv, inner)) = cx.prologue.and_then(|p| p.expansion(cx.graph)) {
        let channels = Channels { out: input, input: cx.input(0)[1], weight_groups: 1, groups: 1, gradient: false };
        let packing = Packing::Conv { channels, taps, tile: 1 };
        operands.push(Operand::Constant(Constant::whole(conv.weight, conv.bias, packing)));
        let steps = texel::blocks(channels.input) as u32;
        let fetches = (4 * steps + 1).div_ceil(tile.subgroup.max(1));
        defines.extend([("EXPANDED", 1), ("STEPS", steps), ("WEIGHTS", 4 * steps), ("EXPAND_FETCHES", fetches)]);
        defines.push(("INNER", inner));
    }
    operands.extend(extra);
    let invocations = (n * h * strips).next_multiple_of(tile.subgroup.max(1) as usize);
    cx.independent(cx.profile.tiled, "separable", &defines, params, operands, invocations)
}
