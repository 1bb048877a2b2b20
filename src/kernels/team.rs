//! Macro tiles: how a workgroup makes one together, from pixels and weights in its shared memory.

use serde::{Deserialize, Serialize};

use super::tile::{Costs, Tile};

/// The invocations of a workgroup that make a macro tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Team {
    /// Channel blocks that each invocation makes.
    pub blocks: u32,
    /// Pixels that each invocation makes.
    pub pixels: u32,
    /// Parts of the sums, of which invocations of their own make each, to be added up at last.
    pub slices: u32,
    /// Steps of a slice that are in shared memory at once; those that follow are on their way meanwhile.
    pub depth: u32,
    /// Whether units that multiply matrices do the work, from operands in f16.
    pub matrices: bool,
}

/// Extent of such a matrix.
const MATRIX: u32 = 16;

impl Tile {
    /// A macro tile of so many channel blocks and pixels.
    pub const fn shared([blocks, pixels]: [u32; 2], team: Team) -> Self {
        Self { blocks, pixels, subgroup: 0, team: Some(team) }
    }
}

impl Team {
    /// Each makes so many blocks and pixels of all sums.
    pub const fn of([blocks, pixels]: [u32; 2], depth: u32) -> Self {
        Self { blocks, pixels, slices: 1, depth, matrices: false }
    }

    /// The same with so many slices of the sums.
    pub const fn sliced(self, slices: u32) -> Self {
        Self { slices, ..self }
    }

    /// The same by units for matrices.
    pub const fn by_matrices(self) -> Self {
        Self { matrices: true, ..self }
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
        if self.matrices {
            let narrow = tile.pixels * (self.depth + 2) + 4 * tile.blocks * self.depth;
            return 2 * narrow * 8 + tile.pixels * (tile.blocks + 1) * 16;
        }
        2 * self.slices * self.depth * (tile.pixels + 4 * tile.blocks) * 16
    }

    /// Texels of pixels and of weights that each invocation brings for a round.
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
        if self.matrices {
            all.extend([("MATRIX", 1), ("FRAGMENTS", 4 * self.depth / MATRIX)]);
        }
        all
    }

    /// Rounds of an invocation over so many steps, and its estimated cost.
    pub fn cost(&self, tile: &Tile, costs: &Costs, steps: usize) -> (usize, f64) {
        let rounds = steps.div_ceil((self.depth * self.slices) as usize);
        let [blocks, pixels, depth] = [self.blocks, self.pixels, self.depth].map(f64::from);
        let brought: u32 = self.brought(tile).iter().sum();
        let step = if self.matrices {
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
