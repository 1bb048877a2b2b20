//! Writing: a file appears when it is complete. Until then it has a temporary name, and a lock that tells later runs whether
//! somebody still writes it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Error as IoError, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// The begin of temporary names.
const PREFIX: &str = ".gradcam-";

/// The temporary files of this process, and the folders in which those of killed processes were removed.
struct Here {
    unfinished: BTreeSet<PathBuf>,
    swept: BTreeSet<PathBuf>,
}

static HERE: Mutex<Here> = Mutex::new(Here { unfinished: BTreeSet::new(), swept: BTreeSet::new() });

fn here() -> MutexGuard<'static, Here> {
    HERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file under a temporary name in the folder of its final one. If it is dropped, nothing is left behind.
pub struct Unfinished {
    file: NamedTempFile,
    path: PathBuf,
    _noted: Noted,
}

/// A temporary file's entry among those of this process.
struct Noted(PathBuf);

impl Drop for Noted {
    fn drop(&mut self) {
        here().unfinished.remove(&self.0);
    }
}

impl Unfinished {
    /// Begins the file `path`. What killed runs left in its folder is removed.
    ///
    /// # Errors
    /// [`Error::Write`] if its folder takes no files.
    pub fn new(path: &Path) -> Result<Self> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let is_new = here().swept.insert(folder.to_owned());
        if is_new {
            sweep(folder);
        }
        loop {
            let mut reason = None;
            // With the mode of other programs' files: the user's umask decides who may read it.
            let file = tempfile::Builder::new().prefix(PREFIX).make_in(folder, |unfinished| {
                // A signal finds it noted as soon as it exists.
                let mut here = here();
                let file = File::options().read(true).write(true).create_new(true).open(unfinished);
                match &file {
                    Ok(_) => _ = here.unfinished.insert(unfinished.to_owned()),
                    Err(e) => reason = e.raw_os_error(),
                }
                file
            });
            let file = file.map_err(|e| unwritten(path, reason.map_or(e, IoError::from_raw_os_error)))?;
            let noted = Noted(file.path().to_owned());
            // Where files cannot be locked, nobody removes those of others either. Another process may have taken this one for
            // a left one before it was locked.
            let is_taken = matches!(file.as_file().try_lock(), Err(std::fs::TryLockError::WouldBlock));
            if !is_taken && file.path().exists() {
                return Ok(Self { file, path: path.to_owned(), _noted: noted });
            }
        }
    }

    /// Writes something, at any place of the file.
    ///
    /// # Errors
    /// [`Error::Write`] with what `content` returns.
    pub fn write(&mut self, content: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<()> {
        content(self.file.as_file_mut()).map_err(|e| unwritten(&self.path, e))
    }

    /// Gives the file its name. A file of that name is replaced, and so is a link.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn finish(self) -> Result<()> {
        self.file.persist(&self.path).map(drop).map_err(|e| unwritten(&self.path, e.error))
    }
}

/// Removes the temporary files in a folder that nobody writes any more.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
        if is_ours
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
        {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

/// Removes the unfinished files of this process, which then must end: no other file can be begun.
pub fn abandon() {
    let here = here();
    here.unfinished.iter().for_each(|path| drop(std::fs::remove_file(path)));
    std::mem::forget(here);
}

/// The error of the file `path`. The system's reason may lie within an encoder's, or within one that names the temporary
/// file; without a reason of the system only the kind is kept.
fn unwritten(path: &Path, e: IoError) -> Error {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&e);
    let mut code = None;
    while let (None, Some(error)) = (code, next) {
        next = match error.downcast_ref::<IoError>() {
            Some(error) => {
                code = error.raw_os_error();
                error.get_ref().map(|inner| inner as _)
            }
            None => error.source(),
        };
    }
    let source = code.map_or_else(|| ErrorKind::into(e.kind()), IoError::from_raw_os_error);
    Error::Write { path: path.to_owned(), source }
}

/// Writes a file under a temporary name and renames it once it is complete.
///
/// # Errors
/// [`Error::Write`]. No file is left behind.
pub fn write_atomically(path: &Path, content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let mut file = Unfinished::new(path)?;
    file.write(|file| {
        let mut writer = BufWriter::new(file);
        content(&mut writer)?;
        writer.flush()
    })?;
    file.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The system's reason is told, however deep it lies, and never the temporary name.
    #[test]
    fn reasons() {
        let place = tempfile::tempdir().unwrap();
        let missing = place.path().join("none/file.png");
        let told = |result: Result<()>| result.unwrap_err().to_string();
        let failed = told(write_atomically(&missing, |_| Ok(())));
        assert!(failed.contains("none/file.png: cannot be written: No such file"), "{failed}");
        let path = place.path().join("file.png");
        let full = IoError::from_raw_os_error(28);
        let wrapped = IoError::other(IoError::other(full));
        let failed = told(write_atomically(&path, |_| Err(wrapped)));
        assert!(failed.contains("file.png: cannot be written: No space left on device"), "{failed}");
        assert!(std::fs::read_dir(place.path()).unwrap().next().is_none());
        #[cfg(unix)]
        {
            let long = place.path().join("a".repeat(300));
            assert!(told(write_atomically(&long, |_| Ok(()))).contains("File name too long"));
        }
    }

    /// What a killed run left is removed, and what another one writes is not.
    #[test]
    fn left_files() {
        let place = tempfile::tempdir().unwrap();
        let [left, held, link, other] =
            [".gradcam-left", ".gradcam-held", ".gradcam-link", "gradcam-other"].map(|name| place.path().join(name));
        [&left, &held, &other].iter().for_each(|path| std::fs::write(path, "half").unwrap());
        #[cfg(unix)]
        std::os::unix::fs::symlink(&other, &link).unwrap();
        let holder = File::open(&held).unwrap();
        holder.try_lock().unwrap();
        let unfinished = Unfinished::new(&place.path().join("file")).unwrap();
        assert!(!left.exists() && held.exists() && other.exists() && (cfg!(not(unix)) || link.exists()));
        // It is held itself.
        let own = unfinished.file.path().to_owned();
        sweep(place.path());
        assert!(own.exists() && held.exists() && here().unfinished.contains(&own));
        drop(holder);
        sweep(place.path());
        assert!(!held.exists());
        unfinished.finish().unwrap();
        assert!(place.path().join("file").exists() && !own.exists() && !here().unfinished.contains(&own));
    }
}
