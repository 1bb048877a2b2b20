//! The kernel variants that a device is asked for.

use std::slice::from_ref;

use crate::gpu::Gpu;
use crate::kernels::Profile;

/// Kernels as a device runs them.
pub struct Variant {
    /// The profile's name, with what is forced.
    pub name: String,
    /// How work is cut.
    pub profile: Profile,
}

/// Every profile that fits the device, or the one of this name; and each of their macro tiles alone, since a cost model may
/// never take some of them.
pub fn variants(gpu: &Gpu, only: Option<&str>) -> Vec<Variant> {
    let wanted = |profile: &Profile| only.is_none_or(|name| name == profile.name);
    let profiles: Vec<Profile> = Profile::ALL.into_iter().filter(wanted).filter_map(|p| gpu.fitting(p)).collect();
    let whole = |profile: &Profile| Variant { name: profile.name.to_owned(), profile: profile.clone() };
    let forced = |profile: &Profile| {
        let profile = profile.clone();
        profile.shared.iter().map(move |tile| Variant {
            name: format!("{}, {tile:?} alone", profile.name),
            profile: Profile { tiles: &[], shared: from_ref(tile), ..profile.clone() },
        })
    };
    profiles.iter().map(whole).chain(profiles.iter().flat_map(forced)).collect()
}
