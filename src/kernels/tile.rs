//! How a matrix product is cut into register tiles, and these into macro tiles.

use serde::{Deserialize, Serialize};

use super::{Profile, Team};

/// What a dispatch costs besides, in waits for a load: the one before must be done.
const LAUNCH: f64 = 16.0;
/// More steps than `conv_shared.wgsl` can count.
const TOO_MANY_STEPS: usize = 1 << 20;

/// The part of a product that one invocation makes, or one workgroup: `4 · blocks` outputs by `pixels` pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tile {
    /// Channel blocks of four outputs.
    pub blocks: u32,
    /// Pixels.
    pub pixels: u32,
    /// Invocations of a subgroup that share their weights, each fetching some of them; 0 if each fetches all.
    pub subgroup: u32,
    /// How a workgroup makes a macro tile; none for a register tile, which one invocation makes alone.
    pub team: Option<Team>,
}

/// A product to be cut: `groups` times `out_blocks` × `pixels` outputs of `steps` sums of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
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
    /// A barrier, for each invocation of the workgroup that meets there.
    pub sync: f64,
    /// What an invocation waits for a load's texels where too few others run meanwhile.
    pub wait: f64,
    /// Product of a 4×4 matrix and a texel, with its sum.
    pub product: f64,
    /// What matrix units take for a step of four inputs of a subgroup's 32 × 32 outputs.
    pub matrices: f64,
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

    /// Of a dispatch of so many invocations, each of which waits for so many rounds of loads: the device works for all of
    /// them, or, if they are few, mostly waits.
    pub fn dispatch(&self, invocations: f64, rounds: usize, each: f64) -> f64 {
        let alone = self.parallel * (each + rounds as f64 * self.wait);
        (invocations * each).max(alone) + self.parallel * LAUNCH * self.wait
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

    /// Weight texels of one load of a subgroup, in quads of a block's four: at most a texel for each lane, and whole loads.
    fn quads(&self) -> u32 {
        let most = (self.subgroup / 4).checked_ilog2().unwrap_or(0);
        1 << self.blocks.trailing_zeros().min(most)
    }

    /// Invocations that make a tile, all of a workgroup; one makes a register tile.
    pub fn invocations(&self) -> u32 {
        self.team.map_or(1, |team| team.invocations(self))
    }

    /// The preprocessor's defines.
    pub fn defines(&self) -> Vec<(&'static str, u32)> {
        if let Some(team) = self.team {
            return team.defines(self);
        }
        let quads = self.quads();
        let loads = self.blocks / quads;
        let mut all =
            vec![("BLOCKS", self.blocks), ("PIXELS", self.pixels), ("LOADS", loads), ("QUADS", quads), ("APART", 1)];
        if self.subgroup > 0 {
            all.push(("SUBGROUP", self.subgroup));
        }
        all
    }

    /// Estimated cost of a product cut so.
    fn cost(&self, costs: &Costs, product: &Product) -> f64 {
        let tiles = product.groups * self.tiles(product.out_blocks) * self.strips(product.pixels);
        let (rounds, each) = match self.team {
            Some(team) => team.cost(self, costs, product.steps),
            None => {
                let [blocks, pixels] = [self.blocks, self.pixels].map(f64::from);
                let step = pixels * costs.fetch
                    + costs.weights(4 * self.blocks as usize, self.subgroup)
                    + blocks * pixels * costs.product;
                (product.steps, product.steps as f64 * step + blocks * pixels * costs.store + costs.start)
            }
        };
        costs.dispatch(tiles as f64 * f64::from(self.invocations()), rounds, each)
    }
}

impl Product {
    /// All tiles that a profile offers.
    pub fn tiles(profile: &Profile) -> impl Iterator<Item = Tile> {
        let sharing = profile.subgroup.into_iter().chain([0]);
        let tile = |subgroup| move |&[blocks, pixels]: &[u32; 2]| Tile { blocks, pixels, subgroup, team: None };
        let register = sharing.flat_map(move |subgroup| profile.tiles.iter().map(tile(subgroup)));
        let fits = |tile: &&Tile| {
            tile.team.is_some_and(|team| team.memory(tile) <= profile.storage && (profile.matrices || !team.matrices))
        };
        register.chain(profile.shared.iter().filter(fits).copied())
    }

    /// Estimated cost, in a tile.
    pub fn cost(&self, profile: &Profile, tile: Tile) -> f64 {
        tile.cost(&profile.costs, self)
    }

    /// The measured cut, else the cheapest by the profile's costs; and its cost by these.
    pub fn cut(&self, profile: &Profile) -> (Tile, f64) {
        let priced = |tile: Tile| (tile, self.cost(profile, tile));
        // What was measured comes from a file, and may be anything.
        let offered = |tile: &Tile| Self::tiles(profile).any(|t| t == *tile);
        let measured = profile.tuned.as_ref().and_then(|tuned| tuned.tile(self)).filter(offered).map(priced);
        let counted = |tile: &Tile| tile.team.is_none() || self.steps < TOO_MANY_STEPS;
        let cheapest = || Self::tiles(profile).filter(counted).map(priced).min_by(|a, b| a.1.total_cmp(&b.1));
        measured.or_else(cheapest).expect("a profile has tiles")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lanes take their texel by a mask, and every block's weights are loaded, whatever a device's subgroups are.
    #[test]
    fn loads_of_subgroups_are_whole() {
        for subgroup in [0, 4, 8, 16, 32, 64, 128] {
            for blocks in 1..=32 {
                let tile = Tile { blocks, pixels: 1, subgroup, team: None };
                let quads = tile.quads();
                assert!(quads.is_power_of_two() && quads * 4 <= subgroup.max(4), "{tile:?}: {quads}");
                assert!(blocks.is_multiple_of(quads), "{tile:?}: {quads}");
            }
        }
    }
}
