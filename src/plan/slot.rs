//! Slots of memory.

use crate::graph::{Kind, Shape};
use crate::kernels::texels;

/// Bytes of the zero texel before every value of kind features.
pub const ZERO_TEXEL: u64 = 16;

/// Bytes of a node's value, including padding.
pub fn bytes(kind: Kind, shape: Shape) -> u64 {
    let [n, c, h, w] = shape;
    match kind {
        Kind::Features => texels(shape) as u64 * 16 + ZERO_TEXEL,
        Kind::Plain => (n * c * h * w) as u64 * 4,
        Kind::Pixels => (n * h * w) as u64 * 4,
    }
}

/// The layout of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Texels of four channels after one zero texel. The profile decides whether this is a buffer or a texture.
    Texels,
    /// Words of four bytes, in a buffer.
    Words,
}

impl Medium {
    /// The layout of values of a kind.
    pub fn of(kind: Kind) -> Self {
        if kind == Kind::Features { Self::Texels } else { Self::Words }
    }
}

/// A slot of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its layout.
    pub medium: Medium,
    /// Its size in bytes.
    pub bytes: u64,
}
