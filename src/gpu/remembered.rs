//! Measurements of devices, stored in the user's cache folder: `devices.json` in `GRADCAM_CACHE` or in the system's folder.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::device::Gpu;
use super::verdict::{Verdict, Verdicts};
use crate::error::{Error, Result};
use crate::files::{self, Kind, write_atomically};

/// The largest file.
const LARGEST: u64 = 16 << 20;

impl Verdicts {
    /// All stored measurements. There are none if there is no file yet, or it is damaged or cannot be read; see
    /// [`Gpu::remember`].
    pub fn remembered() -> Self {
        file().and_then(|path| stored(&path).ok()).unwrap_or_default()
    }
}

impl Gpu {
    /// Stores what was measured on this device, unless `known` says the same.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Write`] if the file or its folder cannot be used. Then the next process measures again.
    pub fn remember(&self, known: &Verdicts) -> Result<()> {
        // A device that was not measured has an empty verdict.
        if known.of(self.info()).unwrap_or(&Verdict::default()) == self.verdict() {
            return Ok(());
        }
        file().map_or(Ok(()), |path| self.store(&path).map_err(explained))
    }

    fn store(&self, path: &Path) -> Result<()> {
        // Another process may have stored something since `known` was loaded.
        let mut all = stored(path)?;
        all.insert(self.info(), self.verdict().clone());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::Write { path: path.to_owned(), source })?;
        }
        write_atomically(path, |out| Ok(serde_json::to_writer_pretty(out, &all)?))
    }
}

/// An error of the file, with what it is for.
fn explained(error: Error) -> Error {
    let source = |source: io::Error| {
        let about = "measurements of devices are kept there; GRADCAM_CACHE names another folder";
        io::Error::new(source.kind(), format!("{source} ({about})"))
    };
    match error {
        Error::Read { path, source: reason } => Error::Read { path, source: source(reason) },
        Error::Write { path, source: reason } => Error::Write { path, source: source(reason) },
        other => other,
    }
}

/// What the file holds: nothing if there is none, or it is damaged or far too long.
fn stored(path: &Path) -> Result<Verdicts> {
    match files::read(path, Kind::Regular, LARGEST) {
        Err(Error::Read { source, .. }) if [ErrorKind::NotFound, ErrorKind::FileTooLarge].contains(&source.kind()) => {
            Ok(Verdicts::default())
        }
        other => Ok(serde_json::from_slice(&other?).unwrap_or_default()),
    }
}

/// The file.
fn file() -> Option<PathBuf> {
    let folder = std::env::var_os("GRADCAM_CACHE").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    folder.or_else(|| dirs::cache_dir().map(|caches| caches.join("gradcam"))).map(|folder| folder.join("devices.json"))
}
