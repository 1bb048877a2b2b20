//! Paths of the overlays.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use gradcam::{Error, Prediction, Result};

/// Chooses the overlay files of a run.
pub struct Output {
    place: Place,
    taken: HashSet<PathBuf>,
}

enum Place {
    /// One file for a single image.
    File(PathBuf),
    /// A folder. The flag says whether file names are marked as overlays, as needed beside their photos.
    Folder(PathBuf, bool),
}

impl Output {
    /// Prepares the place: `given` by `--output`, or else the current folder. `photos` are never overwritten.
    ///
    /// # Errors
    /// [`Error::Write`] if the folder cannot be created, [`Error::Request`] if one file is named for several images or
    /// would not be a PNG.
    pub fn new(given: Option<&Path>, photos: &[PathBuf]) -> Result<Self> {
        let taken = photos.iter().filter_map(|p| p.canonicalize().ok()).collect();
        let Some(path) = given else { return Ok(Self { place: Place::Folder(PathBuf::from("."), true), taken }) };
        let folder = |path: &Path| -> Result<Place> {
            std::fs::create_dir_all(path).map_err(|source| Error::Write { path: path.to_owned(), source })?;
            Ok(Place::Folder(path.to_owned(), false))
        };
        let named_folder = path.is_dir() || path.as_os_str().to_string_lossy().ends_with(std::path::MAIN_SEPARATOR);
        let place = match path.extension().map(|e| e.to_ascii_lowercase()) {
            _ if named_folder => folder(path)?,
            Some(extension) if photos.len() == 1 && extension == "png" => {
                if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
                    folder(parent)?;
                }
                Place::File(path.to_owned())
            }
            Some(extension) if extension == "png" => {
                let name = path.display();
                return Err(Error::Request(format!(
                    "{name}: is one file, but there are several photos; name a folder"
                )));
            }
            Some(_) if photos.len() == 1 => {
                return Err(Error::Request(format!("{}: overlays are written as PNG; name it so", path.display())));
            }
            _ => folder(path)?,
        };
        Ok(Self { place, taken })
    }

    /// The file for one map of `photo`, number `rank` of `maps`.
    ///
    /// # Errors
    /// [`Error::Request`] if it would overwrite a photo, or another overlay of this run.
    pub fn file(&mut self, photo: &Path, prediction: &Prediction, rank: usize, maps: usize) -> Result<PathBuf> {
        let part = |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
        let class = if maps > 1 { format!("-{rank}-{}", slug(&prediction.label)) } else { String::new() };
        let path = match &self.place {
            Place::File(path) if maps == 1 => path.clone(),
            Place::File(path) => path.with_file_name(format!("{}{class}.png", part(path.file_stem()))),
            Place::Folder(folder, mark) => {
                let mark = if *mark { ".gradcam" } else { "" };
                let path = folder.join(format!("{}{mark}{class}.png", part(photo.file_stem())));
                // Photos with the same stem keep their extensions in the name.
                if self.is_taken(&path) {
                    folder.join(format!("{}{mark}{class}.png", part(photo.file_name())))
                } else {
                    path
                }
            }
        };
        if self.is_taken(&path) {
            return Err(Error::Request(format!(
                "{}: would write over a photo or another overlay; choose another --output",
                path.display()
            )));
        }
        self.taken.insert(absolute(&path));
        Ok(path)
    }

    fn is_taken(&self, path: &Path) -> bool {
        self.taken.contains(&absolute(path))
    }
}

/// Resolves the links in the path of the folder. The file need not exist.
fn absolute(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    path.canonicalize().unwrap_or_else(|_| folder.join(path.file_name().unwrap_or_default()))
}

/// A label as part of a file name.
fn slug(label: &str) -> String {
    let words = label.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}
