//! Measurements of devices, stored in the user's cache folder: `devices.json` in `GRADCAM_CACHE` or in the system's folder.

use std::path::PathBuf;

use super::device::Gpu;
use super::verdict::{Verdict, Verdicts};
use crate::files::{self, Kind, write_atomically};

/// The largest file.
const LARGEST: u64 = 16 << 20;

impl Verdicts {
    /// All stored measurements. There are none if there is no file yet or it is damaged.
    pub fn remembered() -> Self {
        let text = file().and_then(|path| files::read(&path, Kind::Regular, LARGEST).ok());
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }
}

impl Gpu {
    /// Stores what was measured on this device, unless `known` says the same. If the folder cannot be written, the next
    /// process measures again.
    pub fn remember(&self, known: &Verdicts) {
        // A device that was not measured has an empty verdict.
        if known.of(self.info()).unwrap_or(&Verdict::default()) == self.verdict() {
            return;
        }
        let Some(path) = file() else { return };
        // Another process may have stored something since `known` was loaded.
        let mut all = Verdicts::remembered();
        all.insert(self.info(), self.verdict().clone());
        drop(path.parent().map(std::fs::create_dir_all));
        drop(write_atomically(&path, |out| Ok(serde_json::to_writer_pretty(out, &all)?)));
    }
}

/// The file.
fn file() -> Option<PathBuf> {
    let folder = std::env::var_os("GRADCAM_CACHE").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    folder.or_else(|| dirs::cache_dir().map(|caches| caches.join("gradcam"))).map(|folder| folder.join("devices.json"))
}
