//! Texels of four channels, the unit of memory.

use crate::graph::Shape;

/// Four numbers: the unit of every kernel's loads.
pub type Texel = [f32; 4];

/// Texels of a texture's row at most; `shared/read.wgsl` and `shared/write.wgsl` take an index apart by it.
pub const ROW: usize = 4096;

/// The largest piece of a constant, in texels after the zero before them: 128 MiB, the smallest binding that
/// devices allow.
pub const MAX_TEXELS: usize = (128 << 20) / 16 - 1;

/// Channel blocks of four.
pub fn blocks(channels: usize) -> usize {
    channels.div_ceil(4)
}

/// Texels of a feature map.
pub fn texels([n, c, h, w]: Shape) -> usize {
    n * blocks(c) * h * w
}
