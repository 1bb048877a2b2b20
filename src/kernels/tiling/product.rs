//! The matrix product that is cut into tiles.

use serde::Serialize;

/// A matrix product: `groups` times `out_blocks` × `pixels` texels of outputs, each the sum of `steps` products with four
/// inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Product {
    /// Independent products of the same extents.
    pub groups: usize,
    /// Output blocks of a group.
    pub out_blocks: usize,
    /// Pixels of all images.
    pub pixels: usize,
    /// Taps times channel blocks of inputs.
    pub steps: usize,
}
