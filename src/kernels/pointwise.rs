//! `pointwise.wgsl` and `pointwise_shared.wgsl`: a matrix product over the channels of each pixel.

use bytemuck::{Pod, Zeroable};

use super::constant::Constant;
use super::tile::{Product, Tile};
use super::{Context, Dispatch, Operand, Place};
use crate::graph::NodeId;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    in_blocks: u32,
    out_blocks: u32,
    groups: u32,
    tiles: u32,
    strips: u32,
    pixels: u32,
    plane: u32,
    first: u32,
    piece: u32,
    y_blocks: u32,
    y_first: u32,
    unused: u32,
}

/// `groups` products of `out_blocks` × `pixels` outputs.
pub struct Job {
    pub tile: Tile,
    pub groups: usize,
    pub in_blocks: usize,
    pub out_blocks: usize,
    /// Of all images.
    pub pixels: usize,
    /// Pixels of an image.
    pub plane: usize,
}

impl Job {
    /// The dispatch for `constant`'s rows, from `x` to `y` by way of the operands and defines of an epilogue.
    pub fn lower(
        &self,
        cx: &Context,
        constant: Constant,
        x: NodeId,
        y: Place,
        (defines, extra): (Vec<(&'static str, u32)>, Option<Operand>),
    ) -> Dispatch {
        let strips = self.tile.strips(self.pixels);
        let rows = constant.rows.clone();
        let numbers = [
            self.in_blocks,
            self.out_blocks,
            self.groups,
            self.tile.tiles(self.out_blocks),
            strips,
            self.pixels,
            self.plane,
            rows.start,
            rows.len(),
        ];
        let [in_blocks, out_blocks, groups, tiles, strips32, pixels, plane, first, piece] = numbers.map(|v| v as u32);
        let [y_blocks, y_first] = y.numbers();
        let params = Params {
            in_blocks,
            out_blocks,
            groups,
            tiles,
            strips: strips32,
            pixels,
            plane,
            first,
            piece,
            y_blocks,
            y_first,
            unused: 0,
        };
        let mut operands = vec![Operand::Read(x), Operand::Constant(constant), Operand::Write(y.value)];
        operands.extend(extra);
        let defines = [self.tile.defines(), defines].concat();
        let product =
            Product { groups: self.groups, out_blocks: self.out_blocks, pixels: self.pixels, steps: self.in_blocks };
        let (shaders, tiles) = (["pointwise", "pointwise_shared"], rows.len() * strips);
        let dispatch = cx.tiled(&self.tile, shaders, &defines, params, operands, tiles);
        Dispatch { product: Some(product), ..dispatch }
    }
}
