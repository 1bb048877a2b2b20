//! The best tiles measured on a device, by the shape of the product.

use serde::{Deserialize, Serialize};

use super::product::Product;
use super::tile::Tile;

/// A class of products of similar extents: each extent lies within a factor of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Class {
    grouped: bool,
    out_blocks: u32,
    pixels: u32,
    steps: u32,
}

impl Class {
    /// The class of a product.
    pub fn of(product: &Product) -> Self {
        let size = |n: usize| usize::BITS - n.leading_zeros();
        Self {
            grouped: product.groups > 1,
            out_blocks: size(product.out_blocks),
            pixels: size(product.pixels),
            steps: size(product.steps),
        }
    }
}

/// The best tile of each class that was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuned(pub Vec<(Class, Tile)>);

impl Tuned {
    /// The tile for a product, if its class was measured.
    pub fn tile(&self, product: &Product) -> Option<Tile> {
        let class = Class::of(product);
        self.0.iter().find(|(c, _)| *c == class).map(|(_, tile)| *tile)
    }
}
