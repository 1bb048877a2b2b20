//! What was measured on devices, as a value: for whoever keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::info::AdapterInfo;
use crate::kernels::{Tuned, preprocess};

/// What was found on a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Name of the profile that suits it best.
    pub profile: String,
    /// Seconds that the probe took in each profile that was tried.
    #[serde(default)]
    pub probed: BTreeMap<String, f64>,
    /// Tiles that were measured, by profile.
    #[serde(default)]
    pub tuned: BTreeMap<String, Tuned>,
}

/// What was found on each device, with each driver and version of the shaders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Verdicts(BTreeMap<String, Verdict>);

impl Verdicts {
    /// What was found on an adapter with these shaders, if anything.
    pub fn of(&self, adapter: &AdapterInfo) -> Option<&Verdict> {
        self.0.get(&key(adapter))
    }

    /// Keeps what was found on an adapter, in place of what was found before.
    pub fn insert(&mut self, adapter: &AdapterInfo, verdict: Verdict) {
        self.0.insert(key(adapter), verdict);
    }
}

/// What distinguishes a device: another driver or other shaders may have another verdict.
fn key(adapter: &AdapterInfo) -> String {
    format!("{} | {:?} | {} | {:016x}", adapter.name, adapter.backend, adapter.driver, preprocess::fingerprint())
}
