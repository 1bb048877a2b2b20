//! `pointwise.wgsl` and `pointwise_shared.wgsl`: a matrix product over the channels of each pixel.

use bytemuck::{Pod, Zeroable};

use crate::kernels::constant::Constant;
use crate::kernels::context::Context;
use crate::kernels::dispatch::{Dispatch, Operand, View};
use crate::kernels::tiling::{Product, Tile};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    in_blocks: u32,
    out_blocks: u32,
    tiles: u32,
    strips: u32,
    run: u32,
    pixels: u32,
    plane: u32,
    first: u32,
    piece: u32,
    x_blocks: u32,
    x_first: u32,
    y_blocks: u32,
    y_first: u32,
}

/// `groups` products of `out_blocks` × `pixels` texels of outputs.
pub struct Job {
    pub tile: Tile,
    pub groups: usize,
    pub in_blocks: usize,
    pub out_blocks: usize,
    /// Pixels of all images.
    pub pixels: usize,
    /// Pixels of an image.
    pub plane: usize,
}

impl Job {
    /// The dispatch for `constant`'s rows, from `x` to `y`, with the context's prologue and the defines and operand of an
    /// epilogue.
    pub fn lower(
        &self,
        cx: &Context,
        constant: Constant,
        x: View,
        y: View,
        (epilogue, extra): (Vec<(&'static str, u32)>, Option<Operand>),
    ) -> Dispatch {
        let (before, prologue) = cx.prologue.map(|p| p.operand(cx.graph)).unzip();
        let gated = cx.prologue.is_some_and(|p| p.gates(cx.graph)) && self.tile.team.is_none();
        let images = if gated { self.pixels / self.plane } else { 1 };
        let strips = self.tile.strips(self.pixels / images);
        let run = self.tile.run(cx.profile.near, images * strips, self.in_blocks as f64);
        let rows = constant.rows.clone();
        let [in_blocks, out_blocks, tiles] = [self.in_blocks, self.out_blocks, self.tile.tiles(self.out_blocks)];
        let numbers = [in_blocks, out_blocks, tiles, strips, run, self.pixels, self.plane, rows.start, rows.len()];
        let [in_blocks, out_blocks, tiles, strips32, run, pixels, plane, first, piece] = numbers.map(|v| v as u32);
        let ([x_blocks, x_first], [y_blocks, y_first]) = (x.numbers(), y.numbers());
        let params = Params {
            in_blocks,
            out_blocks,
            tiles,
            strips: strips32,
            run,
            pixels,
            plane,
            first,
            piece,
            x_blocks,
            x_first,
            y_blocks,
            y_first,
        };
        let mut operands = vec![Operand::Read(x.value), Operand::Constant(constant), Operand::Write(y.value)];
        operands.extend(before.into_iter().chain(extra));
        let defines = [self.tile.defines(), prologue.unwrap_or_default(), epilogue].concat();
        let product =
            Product { groups: self.groups, out_blocks: self.out_blocks, pixels: self.pixels, steps: self.in_blocks };
        let (shaders, tiles) = (["pointwise", "pointwise_shared"], rows.len() * images * strips);
        let dispatch = cx.tiled(&self.tile, shaders, &defines, params, operands, tiles);
        Dispatch { product: Some(product), ..dispatch }
    }
}
