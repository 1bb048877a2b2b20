//! `masks.wgsl`: what masked images show.

use super::context::Context;
use super::dispatch::Dispatch;
use super::texel::{blocks, texels};
use crate::graph::{CELLS, Mask};

/// Masks as channels.
pub fn masks(cx: &Context, mask: Mask, first: usize) -> Dispatch {
    let ([_, count, h, w], all) = (cx.shape(), texels(cx.shape()));
    let (defines, own): (&[_], _) = match mask {
        Mask::Square { side, step, across } => (&[("SQUARE", 1)], [side, step, across]),
        Mask::Grid { key } => (&[("CELLS", CELLS as u32)], [key as usize, h.div_ceil(CELLS), w.div_ceil(CELLS)]),
    };
    let [a, b, c] = own;
    cx.elementwise("masks", defines, [h, w, all, blocks(count), first, a, b, c].map(|v| v as u32), None, all)
}
