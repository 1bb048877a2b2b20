//! The kernel variants that a device is asked for.

use std::ops::RangeInclusive;
use std::slice::from_ref;

use crate::kernels::{Product, Profile};

/// Kernels as a device runs them.
pub struct Variant {
    /// The profile's name, with what is forced.
    pub name: String,
    /// How work is cut.
    pub profile: Profile,
    /// Which of the cases run.
    pub scope: RangeInclusive<Scope>,
}

/// How much of the cases a variant needs, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// A case for each kernel that reads weights.
    Weights,
    /// Products as such, of one tile alone.
    Products,
    /// All kernels that have one.
    Kernels,
    /// Whole networks too.
    Networks,
}

/// Every profile that the device can run, as `fitting` turns it out, or the one of this name; and besides
/// * each of their macro tiles alone, since a cost model may never take some of them: what comes before and after a product does
///   not depend on its tile, and is tried with the first and the last. With all of them together networks run alone;
/// * where the device `halves` weights, one in buffers, in shared memory and in textures with weights stored as f16.
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
