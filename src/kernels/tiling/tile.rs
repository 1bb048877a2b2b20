//! Tiles of a matrix product. One invocation makes a register tile. A workgroup makes a macro tile together, from pixels and
//! weights in its shared memory.

use serde::{Deserialize, Serialize};

use super::costs::Costs;
use super::product::Product;

/// Rows and columns of the matrices that matrix units multiply.
const MATRIX: u32 = 16;

/// The part of a product that one invocation or one workgroup makes: `4 · blocks` outputs × `pixels` pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tile {
    /// Channel blocks of four outputs.
    pub blocks: u32,
    /// Pixels.
    pub pixels: u32,
    /// Subgroup size, if the invocations of a subgroup share weight loads, each loading a part; 0 if each loads all.
    pub subgroup: u32,
    /// How a workgroup makes a macro tile; none for a register tile, which one invocation makes alone.
    pub team: Option<Team>,
}

/// The invocations of a workgroup that make a macro tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Team {
    /// Channel blocks that each invocation makes.
    pub blocks: u32,
    /// Pixels that each invocation makes.
    pub pixels: u32,
    /// Parts into which each sum is divided. Separate invocations make each part; the parts are added at the end.
    pub slices: u32,
    /// Steps of a slice that are in shared memory at once. The next steps are loaded meanwhile.
    pub depth: u32,
    /// What it multiplies.
    pub factors: Factors,
}

/// The factors of a macro tile's products. Sums are f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Factors {
    /// Pixels and weights as they are.
    F32,
    /// Pixels and weights rounded to f16 in shared memory, which holds twice as many.
    F16,
    /// The same, on matrix units.
    Matrices,
}

impl Tile {
    /// A macro tile of `blocks` output blocks × `pixels` pixels.
    pub const fn shared([blocks, pixels]: [u32; 2], team: Team) -> Self {
        Self { blocks, pixels, subgroup: 0, team: Some(team) }
    }

    /// This macro tile from at most these factors and so many bytes of shared memory, if it can be made. Every tile can be made
    /// from f16, but only those that are meant for it on matrix units.
    pub fn fitted(self, most: Factors, storage: u32) -> Option<Self> {
        let team = self.team?;
        let factors = team.factors.max(most.min(Factors::F16));
        let team = Team { factors, ..team };
        let fits = factors <= most && team.memory(&self) <= storage;
        fits.then_some(Self { team: Some(team), ..self })
    }

    /// Strips of a product: the number of invocations or workgroups that use the same tile of weights. It is rounded up to
    /// whole subgroups, as a subgroup must not mix tiles.
    pub fn strips(&self, pixels: usize) -> usize {
        pixels.div_ceil(self.pixels as usize).next_multiple_of(self.subgroup.max(1) as usize)
    }

    /// How many of the `strips` go through all tiles before the next strips do. What they read, `texels` for each of their
    /// pixels, should stay in a cache of `near` texels.
    pub fn run(&self, near: usize, strips: usize, texels: f64) -> usize {
        let lanes = self.subgroup.max(1) as usize;
        let fitting = (near as f64 / (texels * f64::from(self.pixels))) as usize;
        (fitting / lanes).max(1).saturating_mul(lanes).min(strips)
    }

    /// Tiles over the outputs of a group.
    pub fn tiles(&self, out_blocks: usize) -> usize {
        out_blocks.div_ceil(self.blocks as usize)
    }

    /// Blocks whose weights a subgroup loads at once, four texels per block. At most one texel per lane, and a divisor of
    /// `blocks`.
    fn quads(&self) -> u32 {
        let most = (self.subgroup / 4).checked_ilog2().unwrap_or(0);
        1 << self.blocks.trailing_zeros().min(most)
    }

    /// Invocations that make a tile: the workgroup for a macro tile, one for a register tile.
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

    /// Estimated cost of a product that is cut into such tiles.
    pub(super) fn cost(&self, costs: &Costs, product: &Product) -> f64 {
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

impl Team {
    /// A team that does not slice the sums. Each invocation makes `blocks` × `pixels` texels.
    pub const fn of([blocks, pixels]: [u32; 2], depth: u32) -> Self {
        Self { blocks, pixels, slices: 1, depth, factors: Factors::F32 }
    }

    /// The same team with the sums divided into `slices` slices.
    pub const fn sliced(self, slices: u32) -> Self {
        Self { slices, ..self }
    }

    /// The same team on matrix units.
    pub const fn by_matrices(self) -> Self {
        Self { factors: Factors::Matrices, ..self }
    }

    /// Invocations of one slice.
    fn members(&self, tile: &Tile) -> u32 {
        tile.blocks / self.blocks * (tile.pixels / self.pixels)
    }

    /// Invocations of the workgroup.
    pub fn invocations(&self, tile: &Tile) -> u32 {
        self.slices * self.members(tile)
    }

    /// Bytes of shared memory.
    pub fn memory(&self, tile: &Tile) -> u32 {
        let staged = 2 * self.slices * self.depth * (tile.pixels + 4 * tile.blocks);
        match self.factors {
            Factors::F32 => staged * 16,
            Factors::F16 if self.slices > 1 => staged * 8 + self.invocations(tile) * 16,
            Factors::F16 => staged * 8,
            Factors::Matrices => (staged + 4 * tile.pixels) * 8 + tile.pixels * (tile.blocks + 1) * 16,
        }
    }

    /// Texels of pixels and of weights that each invocation loads for a round.
    fn brought(&self, tile: &Tile) -> [u32; 2] {
        [tile.pixels, 4 * tile.blocks].map(|texels| self.depth * texels / self.members(tile))
    }

    /// The preprocessor's defines.
    pub fn defines(&self, tile: &Tile) -> Vec<(&'static str, u32)> {
        let [staged_x, staged_w] = self.brought(tile);
        let mut all = vec![
            ("BLOCKS", tile.blocks),
            ("PIXELS", self.pixels),
            ("LOADS", self.blocks),
            ("QUADS", 1),
            ("APART", tile.blocks / self.blocks),
            ("ACROSS", tile.pixels / self.pixels),
            ("MEMBERS", self.members(tile)),
            ("SLICES", self.slices),
            ("DEPTH", self.depth),
            ("STAGED_X", staged_x),
            ("STAGED_W", staged_w),
        ];
        if self.slices > 1 {
            all.push(("SLICED", 1));
        }
        match self.factors {
            Factors::F32 => {}
            Factors::F16 => all.push(("NARROW", 1)),
            Factors::Matrices => all.extend([("MATRIX", 1), ("FRAGMENTS", 4 * self.depth / MATRIX)]),
        }
        all
    }

    /// Rounds of an invocation over `steps` steps, and its estimated cost.
    pub fn cost(&self, tile: &Tile, costs: &Costs, steps: usize) -> (usize, f64) {
        let rounds = steps.div_ceil((self.depth * self.slices) as usize);
        let [blocks, pixels, depth] = [self.blocks, self.pixels, self.depth].map(f64::from);
        let brought: u32 = self.brought(tile).iter().sum();
        let step = if self.factors == Factors::Matrices {
            costs.matrices
        } else {
            (pixels + 4.0 * blocks) * costs.staged + blocks * pixels * costs.product
        };
        let meeting = f64::from(self.invocations(tile)) * costs.sync;
        let round = f64::from(brought) * (costs.fetch + costs.staged) + depth * step + meeting;
        let written = blocks * pixels * (costs.store + f64::from(self.slices - 1) * costs.staged);
        (rounds, rounds as f64 * round + written + costs.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For every subgroup size, lanes can select their texel by a mask and every block's weights are loaded.
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
