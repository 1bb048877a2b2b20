//! Measurements of devices, stored in the user's cache folder.

use std::path::PathBuf;

use gradcam::Gpu;
use gradcam::gpu::{Verdict, Verdicts};
use gradcam::picture::write_atomically;

/// All stored measurements. Empty if there is no file yet or it is damaged.
pub fn load() -> Verdicts {
    let text = file().and_then(|path| std::fs::read(path).ok());
    text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Stores what was measured on a device, unless `known` says the same. If the folder cannot be written, the next process
/// measures again.
pub fn keep(gpu: &Gpu, known: &Verdicts) {
    // A device that was not measured has an empty verdict.
    if known.of(gpu.info()).unwrap_or(&Verdict::default()) == gpu.verdict() {
        return;
    }
    let Some(path) = file() else { return };
    // Another process may have stored something since `known` was loaded.
    let mut all = load();
    all.insert(gpu.info(), gpu.verdict().clone());
    drop(path.parent().map(std::fs::create_dir_all));
    drop(write_atomically(&path, |out| Ok(serde_json::to_writer_pretty(out, &all)?)));
}

/// The file, in `GRADCAM_CACHE` or in the system's cache folder.
fn file() -> Option<PathBuf> {
    let folder = std::env::var_os("GRADCAM_CACHE").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    folder.or_else(|| dirs::cache_dir().map(|caches| caches.join("gradcam"))).map(|folder| folder.join("devices.json"))
}
