//! `max_pool.wgsl`, `pool.wgsl` and `pool_grad.wgsl`.

use bytemuck::{Pod, Zeroable};

use super::context::Context;
use super::dispatch::Dispatch;
use super::geometry::{columns, row_defines, size};
use super::pass::Pass;
use super::profile::Profile;
use super::texel::blocks;
use crate::graph::{Pool2d, PoolKind, Shape};

/// In sync with `pool.wgsl`. `pool_grad.wgsl` has the first fields only. Width comes before height.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    in_size: [u32; 2],
    out_size: [u32; 2],
    kernel: [u32; 2],
    stride: [u32; 2],
    pad: [u32; 2],
    pad_end: [u32; 2],
    count_pad: u32,
    planes: u32,
    blocks: u32,
    per_image: u32,
    y_blocks: u32,
    y_first: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct MaxParams {
    in_size: [u32; 2],
    out_size: [u32; 2],
    stride: [u32; 2],
    pad: [u32; 2],
    blocks: u32,
    planes: u32,
    strips: u32,
    y_blocks: u32,
    y_first: u32,
    unused: u32,
}

/// `y` from `x`.
pub fn forward(cx: &Context, pool: &Pool2d) -> Dispatch {
    let (x, y) = (cx.input(0), cx.shape());
    if pool.kind == PoolKind::Max { max(cx, pool) } else { kernel(cx, "pool", pool, x, y, 1, y) }
}

fn max(cx: &Context, pool: &Pool2d) -> Dispatch {
    let ([_, _, in_h, in_w], [n, c, h, w]) = (cx.input(0), cx.shape());
    let pixels = columns(cx.profile.row, w);
    let strips = w.div_ceil(pixels as usize);
    let planes = n * blocks(c);
    let [y_blocks, y_first] = cx.view(cx.epilogue.value).numbers();
    let params = MaxParams {
        in_size: size([in_h, in_w]),
        out_size: size([h, w]),
        stride: size(pool.window.stride),
        pad: size(pool.window.pad_start),
        blocks: blocks(c) as u32,
        planes: planes as u32,
        strips: strips as u32,
        y_blocks,
        y_first,
        unused: 0,
    };
    let defines = [vec![("PIXELS", pixels)], row_defines(&Pass::forward(&pool.window, [h, w]), pixels)].concat();
    cx.independent(cx.profile.tiled, "max_pool", &defines, params, cx.plainly(None), planes * h * strips)
}

/// Estimated cost of a max pool with outputs of this shape.
pub fn cost(profile: &Profile, pool: &Pool2d, [n, c, h, w]: Shape) -> f64 {
    let costs = &profile.costs;
    let pixels = columns(profile.row, w);
    let loads = (pool.window.span(1, pixels as usize) * pool.window.kernel[0]) as f64 * costs.fetch;
    let invocations = (n * blocks(c) * h * w.div_ceil(pixels as usize)) as f64;
    (loads + f64::from(pixels) * costs.store + costs.start) * invocations.max(costs.parallel)
}

/// `dx` from `dy` and `x`.
pub fn grad(cx: &Context, pool: &Pool2d) -> Dispatch {
    let (dy, x) = (cx.input(0), cx.input(1));
    kernel(cx, "pool_grad", pool, x, dy, dy[0] / x[0], cx.shape())
}

/// Mean over adaptive windows.
pub fn adaptive(cx: &Context) -> Dispatch {
    let (x, y) = (cx.input(0), cx.shape());
    dispatch(cx, "pool", &[("ADAPTIVE", 1)], adaptive_params(x, y), y)
}

/// `dx` from `dy` of an adaptive pool.
pub fn adaptive_grad(cx: &Context) -> Dispatch {
    let (dy, x) = (cx.input(0), cx.shape());
    dispatch(cx, "pool_grad", &[("ADAPTIVE", 1)], adaptive_params(x, dy), x)
}

/// Parameters of adaptive pooling, whose windows follow from the sizes.
fn adaptive_params(x: Shape, y: Shape) -> Params {
    Params { in_size: size([x[2], x[3]]), out_size: size([y[2], y[3]]), per_image: 1, ..Params::zeroed() }
}

fn kernel(
    cx: &Context,
    shader: &'static str,
    pool: &Pool2d,
    x: Shape,
    y: Shape,
    per_image: usize,
    made: Shape,
) -> Dispatch {
    let params = Params {
        in_size: size([x[2], x[3]]),
        out_size: size([y[2], y[3]]),
        kernel: size(pool.window.kernel),
        stride: size(pool.window.stride),
        pad: size(pool.window.pad_start),
        pad_end: size(pool.window.pad_end),
        count_pad: u32::from(pool.kind == PoolKind::Average { count_include_pad: true }),
        per_image: per_image as u32,
        ..Params::zeroed()
    };
    let defines: &[(&str, u32)] = if pool.kind == PoolKind::Max { &[("MAX", 1)] } else { &[] };
    dispatch(cx, shader, defines, params, made)
}

fn dispatch(
    cx: &Context,
    shader: &'static str,
    defines: &[(&'static str, u32)],
    params: Params,
    [n, c, h, w]: Shape,
) -> Dispatch {
    let [y_blocks, y_first] = cx.view(cx.epilogue.value).numbers();
    let params = Params { planes: (n * blocks(c)) as u32, blocks: blocks(c) as u32, y_blocks, y_first, ..params };
    cx.elementwise(shader, defines, params, None, n * blocks(c) * h * w)
}
