//! The kernel variants that a device is tested with.

use std::ops::RangeInclusive;
use std::slice::from_ref;

use crate::kernels::{Factors, Profile};

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
    /// Matrix products of numbers that f16 can hold.
    Halves,
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
/// - If the device can store weights as f16 (`stores`): one variant with f16 weights in buffers, one in shared memory
///   and one in textures.
/// - If it can compute in f16 (`computes`): a macro tile with slices and one without, from f16.
pub fn variants(
    fitting: impl Fn(Profile) -> Option<Profile>,
    only: Option<&str>,
    stores: bool,
    computes: bool,
) -> Vec<Variant> {
    let wanted = |profile: &Profile| only.is_none_or(|name| name == profile.name);
    let profiles: Vec<Profile> = Profile::ALL.into_iter().filter(wanted).filter_map(fitting).collect();
    let mut all = vec![];
    for profile in profiles {
        let tiles = alone(&profile);
        let least = if tiles.is_empty() { Scope::Weights } else { Scope::Networks };
        all.push(Variant { name: profile.name.to_owned(), profile, scope: least..=Scope::Networks });
        all.extend(tiles);
    }
    let memory = |variant: &&Variant| (variant.profile.texture, variant.profile.tiles.is_empty());
    let stored = first_of_each(all.iter().filter(|_| stores), memory).map(|variant| Variant {
        name: format!("{}, f16 weights", variant.name),
        profile: Profile { half: true, ..variant.profile.clone() },
        scope: Scope::Weights..=Scope::Weights,
    });
    let shares = |variant: &&Variant| computes && variant.profile.tiles.is_empty();
    let slices = |variant: &&Variant| variant.profile.shared[0].team.is_some_and(|team| team.slices > 1);
    let computed = first_of_each(all.iter().filter(shares), slices).map(|variant| Variant {
        name: format!("{}, f16 products", variant.name),
        profile: Profile { factors: Factors::F16, ..variant.profile.clone() },
        scope: Scope::Halves..=Scope::Halves,
    });
    let more: Vec<Variant> = stored.chain(computed).collect();
    all.into_iter().chain(more).collect()
}

/// The first item of each kind.
fn first_of_each<T, K: PartialEq>(all: impl Iterator<Item = T>, kind: impl Fn(&T) -> K) -> impl Iterator<Item = T> {
    let mut kinds = vec![];
    all.filter(move |item| {
        let kind = kind(item);
        let is_new = !kinds.contains(&kind);
        kinds.push(kind);
        is_new
    })
}

/// A profile with each of its macro tiles alone.
fn alone(profile: &Profile) -> Vec<Variant> {
    let tiles: Vec<_> =
        profile.shared.iter().filter(|tile| tile.fitted(profile.factors, profile.storage).is_some()).collect();
    let variant = |(i, tile): (usize, &&'static _)| Variant {
        name: format!("{}, macro tile {}", profile.name, i + 1),
        profile: Profile { tiles: &[], shared: from_ref(*tile), ..profile.clone() },
        scope: Scope::Weights..=if i == 0 || i + 1 == tiles.len() { Scope::Kernels } else { Scope::Products },
    };
    tiles.iter().enumerate().map(variant).collect()
}
