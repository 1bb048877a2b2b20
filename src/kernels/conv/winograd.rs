//! Winograd's F(4×4, 3×3), `winograd_input.wgsl` and `winograd_output.wgsl` around a product by `pointwise.wgsl`:
//! 36 products for 16 outputs instead of 144. Lavin and Gray, arXiv 1509.09308, with the points 0, ±1, ±2.

use bytemuck::{Pod, Zeroable};

use super::pointwise;
use crate::graph::{NodeId, ParamId, Shape};
use crate::kernels::constant::{Channels, Constant, POINTS, Packing};
use crate::kernels::context::Context;
use crate::kernels::dispatch::{Dispatch, Operand, View};
use crate::kernels::geometry::size;
use crate::kernels::pass::Pass;
use crate::kernels::profile::Profile;
use crate::kernels::texel::{MAX_TEXELS, blocks};
use crate::kernels::tiling::{Factors, Product, Tile};

/// Pixels of a tile along each axis.
const SIDE: usize = 4;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct InputParams {
    in_size: [u32; 2],
    tiles: [u32; 2],
    pad: [u32; 2],
    blocks: u32,
    first: u32,
    count: u32,
    unused: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct OutputParams {
    out_size: [u32; 2],
    tiles: [u32; 2],
    blocks: u32,
    first: u32,
    count: u32,
    y_blocks: u32,
    y_first: u32,
    unused: u32,
}

/// A 3×3 convolution that Winograd's algorithm computes, cut into chunks of tiles.
pub struct Winograd<'a> {
    pass: &'a Pass,
    channels: Channels,
    input: Shape,
    /// Tiles of an image, vertical and horizontal.
    tiles: [usize; 2],
    /// Tiles computed at once.
    chunk: usize,
    tile: Tile,
    /// Estimated cost, for comparison with other algorithms.
    pub cost: f64,
}

impl<'a> Winograd<'a> {
    /// How the algorithm computes a pass over an input of this shape, if it applies.
    pub fn new(profile: &Profile, pass: &'a Pass, channels: Channels, input: Shape) -> Option<Self> {
        let fits = pass.taps.count == [3; 2]
            && pass.stride == [1; 2]
            && pass.dilation == [1; 2]
            && pass.is_whole()
            && channels.groups == 1;
        let (from, to) = (blocks(channels.input), blocks(channels.out));
        // The transforms would amplify the rounding to f16 more than the sums do.
        if !fits || profile.factors > Factors::F32 || POINTS * (from * to * 4 + to) > MAX_TEXELS {
            return None;
        }
        let tiles = pass.grid.map(|n| n.div_ceil(SIDE));
        let all = input[0] * tiles[0] * tiles[1];
        // A chunk has about as many tiles as stay in a cache, but whole strips of them, and at least two. Chunks are as even as
        // strips allow, because a small last chunk also costs a tile of the product.
        let widest = profile.shared.first().map_or_else(|| profile.tiles[0][1], |tile| tile.pixels);
        let strip = (widest * profile.subgroup.unwrap_or(1)) as usize;
        let fitting = (profile.cached / (POINTS * from.max(to) * strip)).max(2) * strip;
        let chunks = ((all + fitting / 2) / fitting).max(1);
        let chunk = all.min(all.div_ceil(chunks).next_multiple_of(strip));
        let product = Product { groups: POINTS, out_blocks: to, pixels: chunk, steps: from };
        let (tile, cost) = product.cut(profile);
        let costs = &profile.costs;
        let transform = |invocations: usize, stores: usize| {
            let each = POINTS as f64 * costs.fetch + stores as f64 * costs.store + costs.start;
            costs.dispatch(invocations as f64, 1, each)
        };
        let transforms = transform(chunk * from, POINTS) + transform(chunk * to, SIDE * SIDE);
        let cost = (cost + transforms) * all as f64 / chunk as f64;
        Some(Self { pass, channels, input, tiles, chunk, tile, cost })
    }

    /// The dispatches.
    pub fn lower(&self, cx: &mut Context, weight: ParamId, bias: Option<ParamId>) -> Vec<Dispatch> {
        let [n, _, in_h, in_w] = self.input;
        let x = cx.operand(0);
        let (from, to) = (blocks(self.channels.input), blocks(self.channels.out));
        let [all, chunk] = [n * self.tiles[0] * self.tiles[1], self.chunk];
        let packing =
            Packing::Winograd { channels: self.channels, taps: self.pass.taps, tile: self.tile.blocks as usize };
        let target = cx.view(cx.epilogue.value);
        let [y_blocks, y_first] = target.numbers();
        let mut dispatches = vec![];
        for first in (0..all).step_by(chunk) {
            let count = chunk.min(all - first);
            let mut scratch = |c: usize| -> NodeId { cx.scratch([POINTS, c, 1, count]) };
            let (v, m) = (scratch(self.channels.input), scratch(self.channels.out));
            let params = InputParams {
                in_size: [in_w as u32, in_h as u32],
                tiles: size(self.tiles),
                pad: size(self.pass.pad.map(|p| p as usize)),
                blocks: from as u32,
                first: first as u32,
                count: count as u32,
                unused: 0,
            };
            let operands = vec![Operand::Read(x), Operand::Write(v)];
            dispatches.push(cx.independent(cx.profile.flat, "winograd_input", &[], params, operands, from * count));

            let constant = Constant::whole(weight, None, packing);
            let product = pointwise::Job {
                tile: self.tile,
                groups: POINTS,
                in_blocks: from,
                out_blocks: to,
                pixels: count,
                plane: count,
            };
            let plain = (vec![("ACTIVATION", 0)], None);
            let [x, y] = [(v, from), (m, to)].map(|(value, blocks)| View::whole(value, POINTS * blocks));
            dispatches.push(product.lower(cx, constant, x, y, plain));

            let params = OutputParams {
                out_size: size(self.pass.grid),
                tiles: size(self.tiles),
                blocks: to as u32,
                first: first as u32,
                count: count as u32,
                y_blocks,
                y_first,
                unused: 0,
            };
            let mut operands = vec![Operand::Read(m)];
            let (mut defines, extra) = cx.epilogue();
            if let Some(bias) = bias {
                defines.push(("BIAS", 1));
                let packing = Packing::Channels { channels: self.channels.out };
                operands.push(Operand::Constant(Constant::whole(bias, None, packing)));
            }
            operands.push(Operand::Write(target.value));
            operands.extend(extra);
            dispatches.push(cx.independent(cx.profile.flat, "winograd_output", &defines, params, operands, to * count));
        }
        dispatches
    }
}
