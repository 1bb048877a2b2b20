//! `conv_pool.wgsl`: a convolution of one block of channels and the max pool after it, in one kernel.

use bytemuck::{Pod, Zeroable};

use crate::graph::{Conv2d, Graph, NodeId, Op, Pool2d, PoolKind, Shape, Window};
use crate::kernels::constant::{Channels, Constant, Packing};
use crate::kernels::context::Context;
use crate::kernels::dispatch::{Dispatch, Operand};
use crate::kernels::geometry::{Geometry, row_defines};
use crate::kernels::pass::Pass;
use crate::kernels::pool;
use crate::kernels::profile::Profile;
use crate::kernels::texel::blocks;
use crate::kernels::tiling::{Product, Tile};

/// Maximum columns of a convolution's kernel. The loop over them is unrolled.
const KERNEL: usize = 3;
/// Maximum rows of outputs per invocation.
const RUN: usize = 8;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    geometry: Geometry,
    pool_pad: [u32; 2],
    out_blocks: u32,
    tiles: u32,
    images: u32,
    runs: u32,
    across: u32,
    strips: u32,
    y_blocks: u32,
    y_first: u32,
}

/// How outputs are divided among invocations.
struct Cut {
    tile: Tile,
    /// Neighbouring outputs of a row per invocation.
    windows: usize,
    runs: usize,
    /// Rows per invocation.
    run: usize,
    across: usize,
    strips: usize,
}

impl Cut {
    /// The cut of outputs of this shape into tiles of `blocks` blocks and `windows` neighbouring outputs.
    fn new(profile: &Profile, [n, _, h, w]: Shape, blocks: u32, windows: usize) -> Self {
        let subgroup = profile.subgroup.unwrap_or(0);
        let tile = Tile { blocks, pixels: 2 * windows as u32 + 1, subgroup, team: None };
        let (runs, across) = (h.div_ceil(RUN), w.div_ceil(windows));
        let strips = (n * runs * across).next_multiple_of(subgroup.max(1) as usize);
        Self { tile, windows, runs, run: h.div_ceil(runs), across, strips }
    }

    /// The cheapest cut for outputs of this shape, with its estimated cost.
    fn cheapest(profile: &Profile, window: &Window, out: Shape) -> Option<(Self, f64)> {
        let most = (profile.row as usize - 1) / 2;
        let deep = profile.tiles.iter().map(|tile| tile[0]);
        let cuts = deep.flat_map(|blocks| (1..=most).map(move |windows| Self::new(profile, out, blocks, windows)));
        let priced = |cut: Self| {
            let costs = &profile.costs;
            let Tile { blocks: deep, pixels, subgroup, .. } = cut.tile;
            let step = costs.weights(4 * deep as usize, subgroup) + f64::from(deep * pixels) * costs.product;
            let row = window.span(1, pixels as usize) as f64 * costs.fetch + window.kernel[1] as f64 * step;
            let rows = (2 * (cut.run + 1) * window.kernel[0]) as f64 * row;
            let stores = (cut.run * cut.windows) as f64 * f64::from(deep) * costs.store;
            let invocations = (cut.tile.tiles(blocks(out[1])) * cut.strips) as f64;
            (cut, (rows + stores + costs.start) * invocations.max(costs.parallel))
        };
        let fits = |cut: &Self| cut.tile.blocks * cut.tile.pixels <= profile.sums;
        cuts.filter(fits).map(priced).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The cut with which node `id` also computes the pool of its values, with outputs of shape `out`. None if it is no
    /// convolution that can, or if separate kernels cost less. The fused kernel computes some values twice, but stores none of
    /// them.
    fn paying(graph: &Graph, profile: &Profile, id: NodeId, pool: &Pool2d, out: Shape) -> Option<Self> {
        let Op::Conv2d(conv) = &graph.nodes[id].op else { return None };
        let (x, z) = (graph.shape(graph.nodes[id].inputs[0]), graph.shape(id));
        let able = conv.groups == 1 && x[1] <= 4 && !conv.is_depthwise(x[1]) && conv.window.kernel[1] <= KERNEL;
        let windows = pool.kind == PoolKind::Max && pool.window.kernel == [3; 2] && pool.window.stride == [2; 2];
        if !able || !windows {
            return None;
        }
        let steps = conv.window.kernel.iter().product();
        let product = Product { groups: 1, out_blocks: blocks(z[1]), pixels: z[0] * z[2] * z[3], steps };
        let apart = product.cut(profile).1 + pool::cost(profile, pool, out);
        let (cut, cost) = Self::cheapest(profile, &conv.window, out)?;
        (cost < apart).then_some(cut)
    }
}

/// Whether node `id` also computes the pool of its values, with outputs of shape `out`.
pub fn pools(graph: &Graph, profile: &Profile, id: NodeId, pool: &Pool2d, out: Shape) -> bool {
    Cut::paying(graph, profile, id, pool, out).is_some()
}

/// `y = finish(max of (w ∗ x) + b)`, if the context's epilogue ends with such a pool.
pub fn lower(cx: &Context, conv: &Conv2d) -> Option<Dispatch> {
    let Op::Pool2d(pool) = &cx.graph.nodes[cx.epilogue.value].op else { return None };
    let (z, out) = (cx.shape(), cx.graph.shape(cx.epilogue.value));
    let cut = Cut::paying(cx.graph, cx.profile, cx.id, pool, out)?;
    let input = cx.input(0)[1];
    let pass = Pass::forward(&conv.window, [z[2], z[3]]);
    let to = cx.view(cx.epilogue.value);
    let [y_blocks, y_first] = to.numbers();
    let out_blocks = blocks(out[1]);
    let tiles = cut.tile.tiles(out_blocks);
    let numbers = [out_blocks, tiles, out[0], cut.runs, cut.across, cut.strips].map(|v| v as u32);
    let [out_blocks, tiles32, images, runs, across, strips] = numbers;
    let [above, before] = pool.window.pad_start.map(|p| p as u32);
    let geometry = Geometry::new(&pass, cx.input(0), out);
    let pool_pad = [before, above];
    let params =
        Params { geometry, pool_pad, out_blocks, tiles: tiles32, images, runs, across, strips, y_blocks, y_first };
    let channels = Channels { out: z[1], input, weight_groups: 1, groups: 1, gradient: false };
    let packing = Packing::Conv { channels, taps: pass.taps, tile: cut.tile.blocks as usize };
    let constant = Constant::whole(conv.weight, conv.bias, packing);
    let mut defines = [cut.tile.defines(), row_defines(&pass, cut.tile.pixels), cx.epilogue().0].concat();
    defines.extend([("WINDOWS", cut.windows as u32), ("RUN", cut.run as u32)]);
    if input == 3 {
        defines.push(("THREE", 1));
    }
    let operands = vec![Operand::Read(cx.operand(0)), Operand::Constant(constant), Operand::Write(to.value)];
    Some(cx.independent(cx.profile.tiled, "conv_pool", &defines, params, operands, tiles * cut.strips))
}
