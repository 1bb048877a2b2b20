//! How a matrix product is cut into register tiles.

use serde::{Deserialize, Serialize};

use super::Profile;

/// The part of a product that one invocation makes: `4 · blocks` outputs by `pixels` pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tile {
    /// Channel blocks of four outputs.
    pub blocks: u32,
    /// Pixels.
    pub pixels: u32,
    /// Invocations of a subgroup that share their weights, each fetching some of them; 0 if each fetches all.
    pub subgroup: u32,
}

/// A product to be cut: `groups` times `out_blocks` × `pixels` outputs of `steps` sums of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Product {
    /// Independent products of the same extents.
    pub groups: usize,
    /// Channel blocks of outputs of a group.
    pub out_blocks: usize,
    /// Pixels of all images.
    pub pixels: usize,
    /// Taps times channel blocks of inputs.
    pub steps: usize,
}

/// What a vector of invocations pays, in any unit: fitted to measurements, see `docs/kernels.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// Load of a texel that differs between invocations.
    pub fetch: f64,
    /// Load of a weight texel that neighbours share.
    pub weight: f64,
    /// Spreading one number from a lane to its subgroup.
    pub broadcast: f64,
    /// Product of a 4×4 matrix and a texel, with its sum.
    pub product: f64,
    /// Store of a texel.
    pub store: f64,
    /// All else of an invocation.
    pub start: f64,
    /// Invocations that the device runs at once; fewer leave it idle.
    pub parallel: f64,
}

impl Tile {
    /// Strips of a product: invocations that share a tile's weights. A subgroup must not mix tiles.
    pub fn strips(&self, pixels: usize) -> usize {
        pixels.div_ceil(self.pixels as usize).next_multiple_of(self.subgroup.max(1) as usize)
    }

    /// Tiles of a group.
    pub fn tiles(&self, out_blocks: usize) -> usize {
        out_blocks.div_ceil(self.blocks as usize)
    }

    /// Weight texels of one load of a subgroup, in quads of a block's four: at most a texel for each lane.
    fn quads(&self) -> u32 {
        if self.subgroup == 0 { 1 } else { self.blocks.min(self.subgroup / 4) }
    }

    /// The preprocessor's defines.
    pub fn defines(&self) -> Vec<(&'static str, u32)> {
        let quads = self.quads();
        let mut all =
            vec![("BLOCKS", self.blocks), ("PIXELS", self.pixels), ("LOADS", self.blocks / quads), ("QUADS", quads)];
        if self.subgroup > 0 {
            all.push(("SUBGROUP", self.subgroup));
        }
        all
    }

    /// Estimated cost of a product cut so.
    fn cost(&self, costs: &Costs, product: &Product) -> f64 {
        let [blocks, pixels] = [self.blocks, self.pixels].map(f64::from);
        let weights = if self.subgroup > 0 {
            f64::from(self.blocks / self.quads()) * costs.weight + 16.0 * blocks * costs.broadcast
        } else {
            4.0 * blocks * costs.weight
        };
        let step = pixels * costs.fetch + weights + blocks * pixels * costs.product;
        let each = product.steps as f64 * step + blocks * pixels * costs.store + costs.start;
        let invocations = product.groups * self.tiles(product.out_blocks) * self.strips(product.pixels);
        each * (invocations as f64).max(costs.parallel)
    }
}

impl Product {
    /// All tiles that a profile offers.
    pub fn tiles(profile: &Profile) -> impl Iterator<Item = Tile> {
        let sharing = profile.subgroup.into_iter().chain([0]);
        let tile = |subgroup: u32| move |&[blocks, pixels]: &[u32; 2]| Tile { blocks, pixels, subgroup };
        sharing.flat_map(move |subgroup| profile.tiles.iter().map(tile(subgroup)))
    }

    /// The measured cut, else the cheapest by the profile's costs; and its cost by these.
    pub fn cut(&self, profile: &Profile) -> (Tile, f64) {
        let priced = |tile: Tile| (tile, tile.cost(&profile.costs, self));
        let measured = profile.tuned.as_ref().and_then(|tuned| tuned.tile(self)).map(priced);
        let cheapest = || Self::tiles(profile).map(priced).min_by(|a, b| a.1.total_cmp(&b.1));
        measured.or_else(cheapest).expect("a profile has tiles")
    }
}
