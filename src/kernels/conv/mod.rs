//! Convolutions and their gradients: the choice of the algorithm, and `conv.wgsl`, `conv_shared.wgsl` and `depthwise.wgsl`.

mod pointwise;
mod pooled;
pub mod separable;
mod winograd;

pub use pooled::pools;

use bytemuck::{Pod, Zeroable};

use super::constant::{Channels, Constant, Packing};
use super::context::Context;
use super::dispatch::{Dispatch, Operand};
use super::geometry::{Geometry, columns, row_defines};
use super::pass::Pass;
use super::profile::Profile;
use super::texel::blocks;
use super::tiling::{Product, Tile};
use pointwise::Job;
use winograd::Winograd;

use crate::graph::{Conv2d, Graph, NodeId, Op, ParamId, Shape};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct ConvParams {
    geometry: Geometry,
    in_blocks: u32,
    out_blocks: u32,
    groups: u32,
    tiles: u32,
    strips: u32,
    run: u32,
    pixels: u32,
    first: u32,
    piece: u32,
    y_blocks: u32,
    y_first: u32,
    unused: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct DepthwiseParams {
    geometry: Geometry,
    blocks: u32,
    planes: u32,
    strips: u32,
    y_blocks: u32,
    y_first: u32,
    unused: u32,
}

/// `y = finish(w ∗ x + b)`.
pub fn forward(cx: &mut Context, conv: &Conv2d) -> Vec<Dispatch> {
    let [_, _, h, w] = cx.shape();
    if let Some((depthwise, tile)) = cx.prologue.and_then(|p| p.depthwise(cx.graph)) {
        return vec![separable::lower(cx, conv, depthwise, tile)];
    }
    if let Some(dispatch) = pooled::lower(cx, conv) {
        return vec![dispatch];
    }
    kernel(cx, conv, &Pass::forward(&conv.window, [h, w]), false)
}

/// `dx` from `dy`: a dispatch for each phase of the stride.
pub fn grad(cx: &mut Context, conv: &Conv2d) -> Vec<Dispatch> {
    let [_, _, h, w] = cx.shape();
    let passes = Pass::gradient(&conv.window, [h, w]);
    passes.iter().flat_map(|pass| kernel(cx, conv, pass, true)).collect()
}

/// How a convolution that is not depthwise is computed.
struct Way<'a> {
    channels: Channels,
    product: Product,
    tile: Tile,
    /// Winograd's algorithm, where it is cheaper.
    winograd: Option<Winograd<'a>>,
}

impl<'a> Way<'a> {
    /// For a pass from `x` to `out` channels.
    fn new(profile: &Profile, conv: &Conv2d, pass: &'a Pass, x: Shape, out: usize, gradient: bool) -> Self {
        let [n, input, ..] = x;
        // Groups that do not fill blocks of four channels become one group with zeros between them.
        let whole = (input / conv.groups).is_multiple_of(4) && (out / conv.groups).is_multiple_of(4);
        let groups = if whole { conv.groups } else { 1 };
        let channels = Channels { out, input, weight_groups: conv.groups, groups, gradient };
        let pixels = n * pass.grid[0] * pass.grid[1];
        let steps = pass.taps.number() * blocks(input / groups);
        let product = Product { groups, out_blocks: blocks(out / groups), pixels, steps };
        let (tile, cost) = product.cut(profile);
        let winograd = Winograd::new(profile, pass, channels, x).filter(|winograd| winograd.cost < cost);
        Self { channels, product, tile, winograd }
    }
}

/// Whether a node is a convolution that Winograd's algorithm computes.
pub fn is_winograd(graph: &Graph, profile: &Profile, id: NodeId) -> bool {
    let Op::Conv2d(conv) = &graph.nodes[id].op else { return false };
    let (x, [_, out, h, w]) = (graph.shape(graph.nodes[id].inputs[0]), graph.shape(id));
    let pass = Pass::forward(&conv.window, [h, w]);
    !conv.is_depthwise(x[1]) && Way::new(profile, conv, &pass, x, out, false).winograd.is_some()
}

fn kernel(cx: &mut Context, conv: &Conv2d, pass: &Pass, gradient: bool) -> Vec<Dispatch> {
    let x = cx.input(0);
    let [_, input, in_h, in_w]: Shape = x;
    let [_, out, ..] = cx.shape();
    let bias = if gradient { None } else { conv.bias };
    if conv.is_depthwise(if gradient { out } else { input }) {
        return vec![depthwise(cx, conv, pass, bias)];
    }
    let Way { channels, product, tile, winograd } = Way::new(cx.profile, conv, pass, x, out, gradient);
    if let Some(winograd) = winograd {
        return winograd.lower(cx, conv.weight, bias);
    }
    let Product { groups, out_blocks, pixels, .. } = product;
    let in_blocks = blocks(input / groups);
    let packing = Packing::Conv { channels, taps: pass.taps, tile: tile.blocks as usize };
    let pieces = Constant::pieces(conv.weight, bias, packing, cx.profile.piece).into_iter();
    let (from, to) = (cx.operand(0), cx.view(cx.epilogue.value));
    let plain = pass.taps.count == [1; 2] && pass.stride == [1; 2] && pass.pad == [0; 2];
    if plain && pass.is_whole() && pass.grid == [in_h, in_w] {
        let job = Job { tile, groups, in_blocks, out_blocks, pixels, plane: in_h * in_w };
        return pieces.map(|c| job.lower(cx, c, cx.view(from), to, cx.epilogue())).collect();
    }
    let strips = tile.strips(pixels);
    let read = (in_blocks * in_h * in_w * x[0]) as f64 / pixels as f64;
    let run = tile.run(cx.profile.near, strips, read);
    let numbers = [in_blocks, out_blocks, groups, tile.tiles(out_blocks), strips, run, pixels].map(|v| v as u32);
    let [in_blocks, out_blocks, groups, tiles, strips32, run, pixels] = numbers;
    let (defines, extra) = cx.epilogue();
    let mut defines = [tile.defines(), defines].concat();
    let [y_blocks, y_first] = to.numbers();
    if in_blocks == 1 && tile.team.is_none() {
        defines.push(("SINGLE", 1));
    }
    if input == 3 {
        defines.push(("THREE", 1));
    }
    let piece = |constant: Constant| {
        let rows = constant.rows.clone();
        let params = ConvParams {
            geometry: Geometry::new(pass, cx.input(0), cx.shape()),
            in_blocks,
            out_blocks,
            groups,
            tiles,
            strips: strips32,
            run,
            pixels,
            first: rows.start as u32,
            piece: rows.len() as u32,
            y_blocks,
            y_first,
            unused: 0,
        };
        let mut operands = vec![Operand::Read(from), Operand::Constant(constant), Operand::Write(to.value)];
        operands.extend(extra.clone());
        let tiles = rows.len() * strips;
        let dispatch = cx.tiled(&tile, ["conv", "conv_shared"], &defines, params, operands, tiles);
        Dispatch { product: Some(product), ..dispatch }
    };
    pieces.map(piece).collect()
}

fn depthwise(cx: &Context, conv: &Conv2d, pass: &Pass, bias: Option<ParamId>) -> Dispatch {
    let [n, out, ..] = cx.shape();
    let constant = Constant::whole(conv.weight, bias, Packing::Depthwise { channels: out, taps: pass.taps });
    let pixels = columns(cx.profile.row, pass.grid[1]);
    let strips = pass.grid[1].div_ceil(pixels as usize);
    let to = cx.view(cx.epilogue.value);
    let [y_blocks, y_first] = to.numbers();
    let params = DepthwiseParams {
        geometry: Geometry::new(pass, cx.input(0), cx.shape()),
        blocks: blocks(out) as u32,
        planes: (n * blocks(out)) as u32,
        strips: strips as u32,
        y_blocks,
        y_first,
        unused: 0,
    };
    let (epilogue, extra) = cx.epilogue();
    let defines = [vec![("PIXELS", pixels)], row_defines(pass, pixels), epilogue].concat();
    let mut operands = vec![Operand::Read(cx.operand(0)), Operand::Constant(constant), Operand::Write(to.value)];
    operands.extend(extra);
    let invocations = n * blocks(out) * pass.grid[0] * strips;
    cx.independent(cx.profile.tiled, "depthwise", &defines, params, operands, invocations)
}
