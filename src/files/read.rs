//! Reading, bounded by what was read and not by what a file's metadata says: special files have no length, and perhaps no
//! end.

use std::fs::{File, Metadata};
use std::io::{Error as IoError, ErrorKind, Read};
use std::ops::Deref;
use std::path::Path;

use crate::error::{Error, Result};
use crate::memory::{AtOnce, Grants, Share};

/// So many bytes are read before a share of memory is taken for more.
const SMALL: u64 = 8 << 20;

/// What may stand at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file: what is found beside another file, where nobody meant a pipe.
    Regular,
    /// Also a pipe, if somebody named it.
    Named,
}

/// A file's bytes, which count against the budget of memory as long as they live.
#[derive(Debug)]
pub struct Content {
    bytes: Vec<u8>,
    _share: Share,
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// [`Error::Read`] if it cannot be read, is longer, or is of another kind; [`Error::Memory`].
pub fn read(path: &Path, kind: Kind, most: u64) -> Result<Content> {
    read_by(path, kind, most, &AtOnce)
}

/// [`read`] with memory that `grants` grants.
pub(crate) fn read_by(path: &Path, kind: Kind, most: u64, grants: &dyn Grants) -> Result<Content> {
    let (mut file, about) = open(path, kind).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    read_stream(&mut file, (path, about.len()), most, grants)
}

/// Reads what comes, at most `most` bytes. `path` names it in errors.
///
/// # Errors
/// As [`read()`].
pub fn read_from(mut stream: impl Read, path: &Path, most: u64) -> Result<Content> {
    read_stream(&mut stream, (path, 0), most, &AtOnce)
}

/// `length` is what the metadata says.
fn read_stream(stream: &mut dyn Read, (path, length): (&Path, u64), most: u64, grants: &dyn Grants) -> Result<Content> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let too_long = || failed(IoError::new(ErrorKind::FileTooLarge, format!("it has more than {} MiB", most >> 20)));
    if length > most {
        return Err(too_long());
    }
    // One byte more than fits tells that the file goes on.
    let end = most.saturating_add(1);
    let (mut bytes, mut granted, mut shares) = (vec![], SMALL.min(end), vec![]);
    loop {
        let rest = granted - bytes.len() as u64;
        stream.take(rest).read_to_end(&mut bytes).map_err(failed)?;
        if (bytes.len() as u64) < granted {
            return Ok(Content { _share: used(shares, bytes.len()), bytes });
        }
        if granted == end {
            return Err(too_long());
        }
        // As much as the file says, or twice as much as there is.
        let next = length.saturating_add(1).max(granted * 2).min(end);
        shares.push(grants.take(&path.display().to_string(), next - granted)?);
        granted = next;
    }
}

/// The shares as one, of what was read.
fn used(shares: Vec<Share>, bytes: usize) -> Share {
    drop(shares);
    Share::of(bytes as u64)
}

/// Opens a file of this kind. Of other kinds, opening alone may wait for ever.
pub(crate) fn open(path: &Path, kind: Kind) -> std::io::Result<(File, Metadata)> {
    let about = path.metadata()?;
    if about.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    let fits = about.is_file() || kind == Kind::Named && is_pipe(&about);
    if !fits {
        return Err(IoError::other("it is not a regular file"));
    }
    let mut options = File::options();
    #[cfg(unix)]
    if about.is_file() {
        // Some files of /proc wait for news, and another process may put a pipe in a file's place.
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    }
    let file = options.read(true).open(path)?;
    let about = file.metadata()?;
    Ok((file, about))
}

#[cfg(unix)]
fn is_pipe(about: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    about.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn reason(path: &str, kind: Kind) -> String {
        read(Path::new(path), kind, 1 << 20).unwrap_err().to_string()
    }

    /// None of these blocks or fills memory, and each is told as what it is.
    #[test]
    fn special_files() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let text = |name: &str| at(name).to_str().unwrap().to_owned();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("endless")).unwrap();
        for kind in [Kind::Regular, Kind::Named] {
            for path in ["/dev/zero", "/dev/null", &text("endless"), &text("socket")] {
                assert!(reason(path, kind).ends_with(": cannot be read: it is not a regular file"), "{path} {kind:?}");
            }
            assert!(reason(&text("dangling"), kind).contains("No such file"));
            assert!(reason(place.path().to_str().unwrap(), kind).contains("is a directory"));
        }
        drop(socket);
        assert!(reason(&text("pipe"), Kind::Regular).contains("it is not a regular file"));
        // A pipe that is named is read, up to its bound.
        for (length, fits) in [(5, true), (1 << 20, true), ((1 << 20) + 1, false), (20 << 20, false)] {
            let path = at("pipe");
            let writer = std::thread::spawn(move || std::fs::write(path, vec![7; length]).is_ok());
            let found = read(&at("pipe"), Kind::Named, 1 << 20);
            match fits {
                true => assert_eq!(found.unwrap().len(), length),
                false => assert!(found.unwrap_err().to_string().contains("it has more than 1 MiB")),
            }
            drop(writer.join());
        }
    }

    /// Large files are read whole, and one that has less than it says too, as those of /proc.
    #[test]
    fn lengths() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("large");
        for length in [SMALL - 1, SMALL, SMALL + 1, 3 * SMALL + 5] {
            std::fs::write(&path, (0..length).map(|i| i as u8).collect::<Vec<_>>()).unwrap();
            for most in [length, u64::MAX] {
                let found = read(&path, Kind::Regular, most).unwrap();
                assert!(found.len() as u64 == length && found[length as usize - 1] == (length - 1) as u8);
            }
            assert!(read(&path, Kind::Regular, length - 1).is_err());
        }
        #[cfg(target_os = "linux")]
        assert!(!read(Path::new("/proc/self/limits"), Kind::Regular, 1 << 20).unwrap().is_empty());
    }
}
