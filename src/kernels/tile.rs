//! How a matrix product is cut into register tiles, and these into macro tiles.

use serde::{Deserialize, Serialize};

use super::Profile;

/// Channel blocks of inputs that a macro tile takes into workgroup memory at once.
const DEPTH: u32 = 4;
/// Pixels of an invocation of a macro tile, of one block of outputs.
const MACRO_PIXELS: u32 = 4;

/// The part of a product that one invocation makes, or one workgroup: `4 · blocks` outputs by `pixels` pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tile {
    /// Channel blocks of four outputs.
    pub blocks: u32,
    /// Pixels.
    pub pixels: u32,
    /// Invocations of a subgroup that share their weights, each fetching some of them; 0 if each fetches all.
    pub subgroup: u32,
    /// Whether it is a macro tile, which a workgroup makes together from weights and pixels in its shared memory: of as
    /// many outputs as pixels.
    pub shared: bool,
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
    /// Load of a texel from workgroup memory.
    pub staged: f64,
    /// Product of a 4×4 matrix and a texel, with its sum.
    pub product: f64,
    /// Store of a texel.
    pub store: f64,
    /// All else of an invocation.
    pub start: f64,
    /// Invocations that the device runs at once, in workgroups of the usual size; fewer leave it idle.
    pub parallel: f64,
}

impl Costs {
    /// Of so many texels of weights, which each of a subgroup's invocations loads a part of and spreads; 0 if there is none.
    pub fn weights(&self, texels: usize, subgroup: u32) -> f64 {
        match subgroup {
            0 => texels as f64 * self.weight,
            lanes => texels.div_ceil(lanes as usize) as f64 * self.weight + 4.0 * texels as f64 * self.broadcast,
        }
    }
}

impl Tile {
    /// Strips of a product: invocations, or workgroups, that share a tile's weights. A subgroup must not mix tiles.
    pub fn strips(&self, pixels: usize) -> usize {
        pixels.div_ceil(self.pixels as usize).next_multiple_of(self.subgroup.max(1) as usize)
    }

    /// Strips, of so many, that go through all tiles before the next do: what they read, `texels` for each of their pixels,
    /// is to stay in a cache.
    pub fn run(&self, profile: &Profile, strips: usize, texels: f64) -> usize {
        let lanes = self.subgroup.max(1) as usize;
        let fitting = (profile.near as f64 / (texels * f64::from(self.pixels))) as usize;
        (fitting / lanes).max(1).saturating_mul(lanes).min(strips)
    }

    /// Tiles of a group.
    pub fn tiles(&self, out_blocks: usize) -> usize {
        out_blocks.div_ceil(self.blocks as usize)
    }

    /// Weight texels of one load of a subgroup, in quads of a block's four: at most a texel for each lane.
    fn quads(&self) -> u32 {
        if self.subgroup == 0 { 1 } else { self.blocks.min(self.subgroup / 4) }
    }

    /// Invocations that make a tile, all of a workgroup; one makes a register tile.
    pub fn invocations(&self) -> u32 {
        if self.shared { self.blocks * self.pixels / MACRO_PIXELS } else { 1 }
    }

    /// Texels of weights that an invocation brings to workgroup memory for each step of a macro tile, and of pixels.
    fn staged(&self) -> u32 {
        DEPTH * self.pixels / self.invocations()
    }

    /// The preprocessor's defines.
    pub fn defines(&self) -> Vec<(&'static str, u32)> {
        if self.shared {
            let own = [("BLOCKS", self.blocks), ("PIXELS", MACRO_PIXELS), ("LOADS", 1), ("QUADS", 1)];
            let tile = [("ACROSS", self.pixels / MACRO_PIXELS), ("DEPTH", DEPTH), ("STAGED", self.staged())];
            return [&own[..], &tile].concat();
        }
        let quads = self.quads();
        let mut all =
            vec![("BLOCKS", self.blocks), ("PIXELS", self.pixels), ("LOADS", self.blocks / quads), ("QUADS", quads)];
        if self.subgroup > 0 {
            all.push(("SUBGROUP", self.subgroup));
        }
        all
    }

    /// Estimated cost of a product cut so, where a workgroup of register tiles has `usual` invocations.
    fn cost(&self, costs: &Costs, usual: u32, product: &Product) -> f64 {
        let tiles = product.groups * self.tiles(product.out_blocks) * self.strips(product.pixels);
        if self.shared {
            let [pixels, brought] = [MACRO_PIXELS, 2 * self.staged()].map(f64::from);
            let block = (pixels + 4.0) * costs.staged + pixels * costs.product;
            let step = brought * costs.fetch + f64::from(DEPTH) * block;
            let each = product.steps.div_ceil(DEPTH as usize) as f64 * step + pixels * costs.store + costs.start;
            // A large workgroup keeps a part of the device busy for longer.
            let least = costs.parallel / f64::from(usual);
            return each * f64::from(self.invocations()) * (tiles as f64).max(least);
        }
        let [blocks, pixels] = [self.blocks, self.pixels].map(f64::from);
        let step = pixels * costs.fetch
            + costs.weights(4 * self.blocks as usize, self.subgroup)
            + blocks * pixels * costs.product;
        let each = product.steps as f64 * step + blocks * pixels * costs.store + costs.start;
        each * (tiles as f64).max(costs.parallel)
    }
}

impl Product {
    /// All tiles that a profile offers.
    pub fn tiles(profile: &Profile) -> impl Iterator<Item = Tile> {
        let sharing = profile.subgroup.into_iter().chain([0]);
        let tile = |subgroup| move |&[blocks, pixels]: &[u32; 2]| Tile { blocks, pixels, subgroup, shared: false };
        let register = sharing.flat_map(move |subgroup| profile.tiles.iter().map(tile(subgroup)));
        let whole = |&side: &u32| Tile { blocks: side / 4, pixels: side, subgroup: 0, shared: true };
        register.chain(profile.shared.iter().map(whole))
    }

    /// The measured cut, else the cheapest by the profile's costs; and its cost by these.
    pub fn cut(&self, profile: &Profile) -> (Tile, f64) {
        let priced = |tile: Tile| (tile, tile.cost(&profile.costs, profile.tiled, self));
        // What was measured comes from a file, and may be anything.
        let offered = |tile: &Tile| Self::tiles(profile).any(|t| t == *tile);
        let measured = profile.tuned.as_ref().and_then(|tuned| tuned.tile(self)).filter(offered).map(priced);
        let cheapest = || Self::tiles(profile).map(priced).min_by(|a, b| a.1.total_cmp(&b.1));
        measured.or_else(cheapest).expect("a profile has tiles")
    }
}
