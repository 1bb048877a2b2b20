//! Texels of four channels, the unit of memory.

use crate::graph::Shape;

/// Four numbers: the unit of every kernel's loads.
pub type Texel = [f32; 4];

/// Maximum texels in a row of a texture. `shared/read.wgsl` and `shared/write.wgsl` split an index by it.
pub const ROW: usize = 4096;

/// Texels of the largest piece of a constant, without the leading zero texel: 128 MiB, the largest binding that every
/// device allows.
pub const MAX_TEXELS: usize = (128 << 20) / 16 - 1;

/// Number of blocks of four channels.
pub fn blocks(channels: usize) -> usize {
    channels.div_ceil(4)
}

/// Number of texels of a feature map.
pub fn texels([n, c, h, w]: Shape) -> usize {
    n * blocks(c) * h * w
}
