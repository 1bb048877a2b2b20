//! Pieces of memory.

use crate::graph::{Kind, Shape};
use crate::kernels::texels;

/// Bytes of the zero texel before every value of features.
pub const ZERO_TEXEL: u64 = 16;

/// Bytes that a node's value takes, padding included.
pub fn bytes(kind: Kind, shape: Shape) -> u64 {
    let [n, c, h, w] = shape;
    match kind {
        Kind::Features => texels(shape) as u64 * 16 + ZERO_TEXEL,
        Kind::Plain => (n * c * h * w) as u64 * 4,
        Kind::Pixels => (n * h * w) as u64 * 4,
    }
}

/// What a piece of memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Texels of four channels after one zero texel: a buffer or a texture, as the profile says.
    Texels,
    /// Words of four bytes: a buffer.
    Words,
}

/// A piece of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it is.
    pub medium: Medium,
    /// Its size.
    pub bytes: u64,
}
