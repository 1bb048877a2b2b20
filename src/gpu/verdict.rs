//! Results of measurements on devices, as values that callers can store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::info::AdapterInfo;
use crate::kernels::{Tuned, preprocess};

/// The results for a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Name of the profile that suits the device best.
    pub profile: String,
    /// Seconds that the probe took with each profile that was tried.
    #[serde(default)]
    pub probed: BTreeMap<String, f64>,
    /// The measured tiles of each profile.
    #[serde(default)]
    pub tuned: BTreeMap<String, Tuned>,
}

/// The results for each device, driver and version of the shaders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Verdicts(BTreeMap<String, Verdict>);

impl Verdicts {
    /// The results for an adapter with these shaders, if there are any.
    pub fn of(&self, adapter: &AdapterInfo) -> Option<&Verdict> {
        self.0.get(&key(adapter))
    }

    /// Stores the results for an adapter. They replace earlier ones.
    pub fn insert(&mut self, adapter: &AdapterInfo, verdict: Verdict) {
        self.0.insert(key(adapter), verdict);
    }
}

/// Identifies a device. Another driver or other shaders may lead to another verdict.
fn key(adapter: &AdapterInfo) -> String {
    format!("{} | {:?} | {} | {:016x}", adapter.name, adapter.backend, adapter.driver, preprocess::fingerprint())
}
