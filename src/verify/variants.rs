//! The kernel variants that a device is tested with.

use std::ops::RangeInclusive;
use std::slice::from_ref;

use crate::kernels::{Product, Profile};

/// A set of kernels, as a device would run it.
pub struct Variant {
    /// The profile's name, with the forced setting.
    pub name: String,
    /// The profile that plans use.
    pub profile: Profile,
    /// The scopes whose cases run.
    pub scope: RangeInclusive<Scope>,
}

/// The cases that a variant runs, from few to many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One case for each kernel that reads weights.
    Weights,
    /// Matrix products alone, for a single tile.
    Products,
    /// All other small cases.
    Kernels,
    /// Also whole networks.
    Networks,
}

/// Every profile that the device can run, as `fitting` adapts it. If `only` is given, just the profile of this name.
/// To these it adds:
///
/// - Each profile with one of its macro tiles alone, because the cost model may never take some tiles. Epilogues and
///   prologues do not depend on the tile, so they are tested with the first and the last tile only. With all tiles
///   together, only networks run.
/// - If the device can store weights as f16 (`halves`): one variant with f16 weights in buffers, one in shared memory
///   and one in textures.
pub fn variants(fitting: impl Fn(Profile) -> Option<Profile>, only: Option<&str>, halves: bool) -> Vec<Variant> {
    let wanted = |profile: &Profile| only.is_none_or(|name| name == profile.name);
    let profiles: Vec<Profile> = Profile::ALL.into_iter().filter(wanted).filter_map(fitting).collect();
    let mut all = vec![];
    for profile in profiles {
        let tiles = alone(&profile);
        let least = if tiles.is_empty() { Scope::Weights } else { Scope::Networks };
        all.push(Variant { name: profile.name.to_owned(), profile, scope: least..=Scope::Networks });
        all.extend(tiles);
    }
    let mut kinds = vec![];
    let mut is_new = |variant: &&Variant| {
        let kind = (variant.profile.texture, variant.profile.tiles.is_empty());
        let new = !kinds.contains(&kind);
        kinds.push(kind);
        new && halves
    };
    let half = |variant: &Variant| Variant {
        name: format!("{}, f16 weights", variant.name),
        profile: Profile { half: true, ..variant.profile.clone() },
        scope: Scope::Weights..=Scope::Weights,
    };
    let halved: Vec<Variant> = all.iter().filter(&mut is_new).map(half).collect();
    all.into_iter().chain(halved).collect()
}

/// A profile with each of its macro tiles alone.
fn alone(profile: &Profile) -> Vec<Variant> {
    let offered = |tile: &&'static _| Product::tiles(profile).any(|offered| offered == **tile);
    let tiles: Vec<_> = profile.shared.iter().filter(offered).collect();
    let variant = |(i, tile): (usize, &&'static _)| Variant {
        name: format!("{}, macro tile {}", profile.name, i + 1),
        profile: Profile { tiles: &[], shared: from_ref(*tile), ..profile.clone() },
        scope: Scope::Weights..=if i == 0 || i + 1 == tiles.len() { Scope::Kernels } else { Scope::Products },
    };
    tiles.iter().enumerate().map(variant).collect()
}
