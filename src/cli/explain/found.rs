//! The photos that a request names, and those below the folders that it names.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use gradcam::picture::is_overlay;
use gradcam::{Error, Result};

use super::left_out::{Kind, LeftOut, is_hidden};

/// File extensions of pictures in folders.
const ENDINGS: [&str; 9] = ["bmp", "gif", "jpeg", "jpg", "jfif", "png", "tif", "tiff", "webp"];
/// In the name of an overlay beside its photo.
pub const MARK: &str = ".gradcam";
/// The name of standard input.
pub const STDIN: &str = "-";

/// A photo to explain. Whether it can be read is not known yet.
pub struct Input {
    pub path: PathBuf,
    /// Its place below the output folder.
    pub below: PathBuf,
}

#[derive(Default)]
pub struct Found {
    pub inputs: Vec<Input>,
    /// Folders that cannot be read, or hold no picture.
    pub errors: Vec<Error>,
    /// A line for each folder of which something is left out.
    pub remarks: Vec<String>,
}

/// Finds the photos. Those of a folder are sorted by path, and keep their sub-folders. Of several folders each gets a
/// folder of its own name.
///
/// # Errors
/// [`Error::Request`] if standard input is named together with others.
pub fn find(given: &[PathBuf]) -> Result<Found> {
    let mut found = Found::default();
    let mut left_out = LeftOut::default();
    let folders = given.iter().filter(|path| path.is_dir()).count();
    for path in given {
        if path.is_dir() {
            let name = if folders > 1 { name(path) } else { PathBuf::new() };
            found.descend(path, name);
        } else if path.as_os_str() == STDIN {
            if given.len() > 1 {
                return Err(Error::Request("- is one photo from standard input; leave the others out".into()));
            }
            found.inputs.push(Input { path: path.clone(), below: "stdin".into() });
        } else if is_own(path) && given.len() > 1 {
            left_out.add(Kind::Overlay);
        } else {
            if is_own(path) {
                found.remarks.push(format!("{}: is an overlay of an earlier run", path.display()));
            }
            found.inputs.push(Input { path: path.clone(), below: name(path) });
        }
    }
    if !left_out.is_empty() {
        let line = format!("left out: {left_out}");
        match found.inputs.is_empty() && found.errors.is_empty() {
            true => found.errors.push(Error::Request(format!("{line}; name photos"))),
            false => found.remarks.push(line),
        }
    }
    Ok(found)
}

impl Found {
    /// Adds the photos of a folder and its sub-folders. What cannot be read is an error of its own.
    fn descend(&mut self, root: &Path, below: PathBuf) {
        let (mut inputs, mut left_out, errors) = (vec![], LeftOut::default(), self.errors.len());
        let mut seen = HashSet::new();
        let mut next = vec![(root.to_owned(), below)];
        // Links come last, so that a folder keeps its own name. A link to what is read already would never end.
        let mut links = BTreeSet::new();
        while let Some((folder, below)) = next.pop().or_else(|| links.pop_first()) {
            if !seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone())) {
                left_out.add(Kind::Repeated);
                continue;
            }
            let entries = std::fs::read_dir(&folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
            let entries = entries.unwrap_or_else(|source| {
                self.errors.push(Error::Read { path: folder, source });
                vec![]
            });
            for entry in entries {
                let (path, below) = (entry.path(), below.join(entry.file_name()));
                let own = entry.file_type();
                let is_link = own.as_ref().is_ok_and(std::fs::FileType::is_symlink);
                let kind = if is_link { path.metadata().map(|about| about.file_type()) } else { own };
                match kind {
                    _ if is_hidden(&entry.file_name()) => left_out.add(Kind::Hidden),
                    Ok(kind) if kind.is_dir() && is_link => _ = links.insert((path, below)),
                    Ok(kind) if kind.is_dir() => next.push((path, below)),
                    Ok(kind) if !kind.is_file() => left_out.add(Kind::Special),
                    _ if !is_picture(&path) => left_out.add(Kind::of(&path)),
                    _ if is_own(&path) => left_out.add(Kind::Overlay),
                    // A link that leads nowhere fails when it is opened, like a photo that cannot be read.
                    _ => inputs.push(Input { path, below }),
                }
            }
        }
        inputs.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        match (inputs.is_empty(), left_out.is_empty()) {
            (false, true) => {}
            (false, false) => self.remarks.push(format!("left out of {}: {left_out}", root.display())),
            (true, _) if self.errors.len() > errors => {}
            (true, empty) => {
                let holds = if empty { "nothing".into() } else { left_out.to_string() };
                let known = ENDINGS.join(", ");
                let reason = format!("no pictures in this folder ({known}), it holds {holds}; name another");
                self.errors.push(Error::Request(format!("{}: {reason}", root.display())));
            }
        }
        self.inputs.extend(inputs);
    }
}

/// The last part of a path, also of one such as `..`.
fn name(path: &Path) -> PathBuf {
    let whole = || path.canonicalize().ok()?.file_name().map(PathBuf::from);
    path.file_name().map(PathBuf::from).or_else(whole).unwrap_or_default()
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
}

/// Whether a file is an overlay, by its name or its content. What is read from a pipe would be missing later.
fn is_own(path: &Path) -> bool {
    let marked = path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains(MARK));
    marked || path.is_file() && is_overlay(path)
}
