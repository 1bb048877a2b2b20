//! `linear.wgsl`, `linear_grad.wgsl`, `class_weights.wgsl`, `reduce.wgsl` and `spread.wgsl`: fully connected layers,
//! and means over space.

use bytemuck::{Pod, Zeroable};

use super::constant::{Constant, Packing};
use super::context::Context;
use super::dispatch::{Dispatch, Operand};
use super::geometry::columns;
use super::texel::{blocks, texels};
use crate::graph::{ClassWeights, Linear};

/// Maximum number of images that share one load of the weights.
const MAX_IMAGES: usize = 8;
/// Maximum texels of a gradient per invocation.
const MAX_SUMS: usize = 32;

/// Neighbouring tiles of a gradient in a workgroup. The workgroup's other invocations share out the rows of `w`.
const ROW_TILES: u32 = 8;
/// Maximum partial sums of a gradient's workgroup: 16 KiB of texels in its shared memory.
const MAX_PARTIALS: u32 = 1024;

/// `y = f(w · x + b)`.
pub fn forward(cx: &Context, linear: &Linear) -> Vec<Dispatch> {
    let [n, c, h, w] = cx.input(0);
    let images = n.div_ceil(n.div_ceil(MAX_IMAGES));
    let piece = |constant: Constant| {
        let rows = constant.rows.clone();
        let params = [blocks(c) * h * w, rows.len(), n, rows.start, blocks(linear.out_features)].map(|v| v as u32);
        let defines = [cx.epilogue.defines(), vec![("IMAGES", images as u32)]].concat();
        let lanes = cx.profile.lanes[1] as usize;
        cx.cooperative("linear", &defines, params, Some(constant), n.div_ceil(images) * rows.len() * lanes)
    };
    pieces(cx, linear, [c, h, w]).into_iter().map(piece).collect()
}

/// `dx = wᵀ · dy`. Each piece of `w` has a dispatch, which adds to the sum of the dispatches before it.
pub fn grad(cx: &mut Context, linear: &Linear, input: [usize; 3]) -> Vec<Dispatch> {
    let shape = cx.shape();
    let m = shape[0];
    let images = m.div_ceil(m.div_ceil(MAX_IMAGES));
    let inputs = texels(shape) / m;
    let lanes = cx.profile.lanes[1];
    // Where the invocations of a row share a tile, the tile itself must be long: rows are megabytes apart.
    let neighbours = if lanes == 1 { 1 } else { (MAX_SUMS / images).min(inputs) };
    let tiles = inputs.div_ceil(neighbours);
    // Where many invocations share an output, most of them share out the rows, as there may be few inputs.
    let sharing = if cx.profile.lanes[0] == 1 { cx.profile.tiled / lanes } else { ROW_TILES };
    let tile = sharing * lanes;
    let parts = cx.profile.lanes[0].min(cx.profile.wide / tile).min(MAX_PARTIALS / (tile * images as u32)).max(1);
    let pieces = pieces(cx, linear, input);
    let (last, mut earlier) = (pieces.len() - 1, None);
    let mut piece = |(i, constant): (usize, Constant)| {
        let rows = constant.rows.clone();
        let params = [inputs, tiles, rows.len(), m, rows.start, blocks(linear.out_features)].map(|v| v as u32);
        let to = if i == last { cx.epilogue.value } else { cx.scratch(shape) };
        let mut operands = vec![Operand::Read(cx.operand(0)), Operand::Constant(constant), Operand::Write(to)];
        operands.extend(earlier.map(Operand::Read));
        let [images, neighbours] = [images, neighbours].map(|v| v as u32);
        let mut defines = vec![("IMAGES", images), ("INPUTS", neighbours), ("LANES", lanes)];
        defines.extend([("OUTPUTS", sharing), ("PARTS", parts)]);
        if earlier.replace(to).is_some() {
            defines.push(("ADD", 1));
        }
        let invocations = m.div_ceil(images as usize) * tiles * (lanes * parts) as usize;
        cx.independent(tile * parts, "linear_grad", &defines, params, operands, invocations)
    };
    pieces.into_iter().enumerate().map(&mut piece).collect()
}

/// In sync with `class_weights.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct ClassParams {
    texels: u32,
    inputs: u32,
    requests: u32,
    maps: u32,
    scale: f32,
    first: u32,
    rows: u32,
    unused: u32,
}

/// The rows of `w` that belong to the explained classes.
pub fn class_weights(cx: &Context, class: &ClassWeights) -> Vec<Dispatch> {
    let [_, c, h, w] = cx.shape();
    let count = texels(cx.shape());
    let piece = |constant: Constant| {
        let rows = constant.rows.clone();
        let params = ClassParams {
            texels: count as u32,
            inputs: (blocks(c) * h * w) as u32,
            requests: class.requests as u32,
            maps: class.maps as u32,
            scale: class.scale,
            first: rows.start as u32,
            rows: rows.len() as u32,
            unused: 0,
        };
        cx.elementwise("class_weights", &[("OUTPUTS", cx.profile.lanes[1])], params, Some(constant), count)
    };
    pieces(cx, &class.linear, [c, h, w]).into_iter().map(piece).collect()
}

/// The pieces of a layer's weight. They are the same for the forward pass and the gradients, so that both share them.
fn pieces(cx: &Context, linear: &Linear, input: [usize; 3]) -> Vec<Constant> {
    let packing = Packing::Linear { out: linear.out_features, input, lanes: cx.profile.lanes[1] as usize };
    Constant::pieces(linear.weight, linear.bias, packing, cx.profile.piece)
}

/// Mean over space.
pub fn mean(cx: &Context) -> Dispatch {
    let [n, c, h, w] = cx.input(0);
    let planes = n * blocks(c);
    cx.cooperative("reduce", &[], [planes as u32, (h * w) as u32], None, planes)
}

/// Gradient of the mean over space.
pub fn mean_grad(cx: &Context) -> Dispatch {
    let [_, _, h, w] = cx.shape();
    let planes = texels(cx.shape()) / (h * w);
    let pixels = columns(cx.profile.row, h * w);
    let strips = (h * w).div_ceil(pixels as usize);
    let (mut defines, extra) = cx.epilogue();
    defines.push(("PIXELS", pixels));
    let operands = cx.plainly(None).into_iter().chain(extra).collect();
    let params = [planes, h * w, strips, 0].map(|v| v as u32);
    cx.independent(cx.profile.flat, "spread", &defines, params, operands, planes * strips)
}
