//! How a matrix product is cut into register tiles or macro tiles.

mod costs;
mod product;
mod tile;
mod tuned;

pub use costs::Costs;
pub use product::Product;
pub use tile::{Factors, Team, Tile};
pub use tuned::{Class, Tuned};

use super::profile::Profile;

/// Steps that `conv_shared.wgsl` cannot count any more, see `near_split` there.
const TOO_MANY_STEPS: usize = 1 << 20;

impl Product {
    /// All tiles that a profile offers.
    pub fn tiles(profile: &Profile) -> impl Iterator<Item = Tile> {
        let sharing = profile.subgroup.into_iter().chain([0]);
        let tile = |subgroup| move |&[blocks, pixels]: &[u32; 2]| Tile { blocks, pixels, subgroup, team: None };
        let register = sharing.flat_map(move |subgroup| profile.tiles.iter().map(tile(subgroup)));
        register.chain(profile.shared.iter().filter_map(|tile| tile.fitted(profile.factors, profile.storage)))
    }

    /// Estimated cost with this tile.
    pub fn cost(&self, profile: &Profile, tile: Tile) -> f64 {
        tile.cost(&profile.costs, self)
    }

    /// The measured tile, else the cheapest by the profile's cost model; and its cost by that model.
    pub fn cut(&self, profile: &Profile) -> (Tile, f64) {
        let priced = |tile: Tile| (tile, self.cost(profile, tile));
        // Measured tiles come from a file, so they may be invalid.
        let offered = |tile: &Tile| Self::tiles(profile).any(|t| t == *tile);
        let measured = profile.tuned.as_ref().and_then(|tuned| tuned.tile(self)).filter(offered).map(priced);
        let counted = |tile: &Tile| tile.team.is_none() || self.steps < TOO_MANY_STEPS;
        let cheapest = || Self::tiles(profile).filter(counted).map(priced).min_by(|a, b| a.1.total_cmp(&b.1));
        measured.or_else(cheapest).expect("a profile has tiles")
    }
}
