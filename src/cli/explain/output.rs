//! Names of the overlays. All but their classes are chosen before the run, so that a later run finds the same.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use gradcam::files::Unfinished;
use gradcam::picture::Format;
use gradcam::{Error, Method, Model, Prediction, Result};

use super::found::{Input, MARK, STDIN};

/// Bytes of a file name, on almost every file system.
const LONGEST: usize = 255;
/// Characters of a label in a file name.
const SLUG: usize = 40;

/// The overlay files of a run.
pub struct Output {
    folder: PathBuf,
    /// For each photo the place of its overlay below the folder, without class and ending.
    stems: Vec<PathBuf>,
    ending: OsString,
    pub format: Format,
    /// The overlay goes to standard output.
    pub is_stdout: bool,
    classes: usize,
    /// Ends of the names by method, if there are several.
    methods: Vec<String>,
    /// Photos, which are never overwritten, and the overlays of this run.
    taken: HashSet<PathBuf>,
    /// The files of each output folder when it was first looked at.
    listed: HashMap<PathBuf, BTreeSet<OsString>>,
}

/// What determines the names.
pub struct Wanted<'a> {
    /// Where `--output` points.
    pub output: Option<&'a Path>,
    /// What `--format` says.
    pub format: Option<Format>,
    /// Number of classes explained of each photo.
    pub classes: usize,
    /// The methods.
    pub methods: &'a [Method],
}

impl Output {
    /// Chooses the names. One photo may be written as one file; folders and several photos need a folder.
    ///
    /// # Errors
    /// [`Error::Write`] if the folder cannot be written, [`Error::Request`] if the name is not that of what is written.
    pub fn new(wanted: &Wanted, photos: &[Input], is_one: bool, model: &Model) -> Result<Self> {
        let canonical = |input: &Input| input.path.canonicalize().ok();
        let mut output = Self {
            folder: PathBuf::from("."),
            stems: vec![],
            format: wanted.format.unwrap_or(Format::Png),
            ending: OsString::new(),
            is_stdout: wanted.output.is_some_and(|path| path.as_os_str() == STDIN),
            classes: wanted.classes,
            methods: match wanted.methods {
                [_] => vec![String::new()],
                methods => methods.iter().map(|method| format!("-{}", method.name())).collect(),
            },
            taken: photos.iter().filter_map(canonical).collect(),
            listed: HashMap::new(),
        };
        output.ending = output.format.ending().into();
        let mark = if wanted.output.is_none() { MARK } else { "" };
        let path = wanted.output.unwrap_or(Path::new("."));
        if output.is_stdout {
            if !is_one || wanted.classes * wanted.methods.len() > 1 {
                return Err(Error::Request("--output - is for one map of one photo; name a folder".into()));
            }
            return Ok(output);
        }
        if is_file(path, is_one)? {
            let format = Format::of(path).unwrap_or(output.format);
            if wanted.format.is_some_and(|wanted| wanted != format) {
                let other = output.format.ending();
                return Err(Error::Request(format!("{}: is no {other}; leave --format out", path.display())));
            }
            output.format = format;
            output.folder = path.parent().unwrap_or(Path::new("")).to_owned();
            output.stems = vec![path.file_stem().unwrap_or_default().into()];
            output.ending = path.extension().unwrap_or_default().into();
        } else {
            output.folder = path.to_owned();
            output.choose(photos, mark, model);
        }
        check_folder(&output.folder, path)?;
        Ok(output)
    }

    /// Chooses different names for all photos.
    fn choose(&mut self, photos: &[Input], mark: &str, model: &Model) {
        let class = match self.classes {
            1 => 0,
            classes => {
                let longest = (0..model.classes()).map(|class| slug(&model.label(class)).len()).max();
                format!("-{classes}-").len() + longest.unwrap_or(0)
            }
        };
        let method = self.methods.iter().map(String::len).max().unwrap_or(0);
        let room = LONGEST - mark.len() - class - method - 1 - self.ending.len();
        // How often each name was met. Some file systems do not tell capitals from small letters.
        let mut met: HashMap<String, usize> = HashMap::new();
        let mut stems = Vec::with_capacity(photos.len());
        for input in photos {
            let [stem, whole] = [input.below.file_stem(), input.below.file_name()].map(Option::unwrap_or_default);
            let named = |name: &OsStr, number: String| {
                let mut name = cut(name, room - number.len());
                name.push(number + mark);
                input.below.with_file_name(name)
            };
            let key = |path: &Path| path.to_string_lossy().to_lowercase();
            let first = named(stem, String::new());
            let times = met.get(&key(&first)).copied().unwrap_or(0);
            // Photos with the same stem keep their endings in the name. The last resort is a number.
            let others = std::iter::once(named(whole, String::new()))
                .chain((times.max(1) + 1..).map(|number| named(stem, format!("-{number}"))));
            let free = |stem: &PathBuf| !met.contains_key(&key(stem)) && !self.is_taken(&self.file_of(stem, ""));
            let chosen = std::iter::once(first.clone()).chain(others).find(free).unwrap_or_else(|| first.clone());
            met.insert(key(&chosen), 1);
            *met.entry(key(&first)).or_insert(0) += usize::from(chosen != first);
            stems.push(chosen);
        }
        self.stems = stems;
    }

    fn file_of(&self, stem: &Path, class: &str) -> PathBuf {
        let mut name = stem.as_os_str().to_owned();
        name.push(class);
        name.push(".");
        name.push(&self.ending);
        self.folder.join(name)
    }

    /// The file for a map of a photo, by the numbers of the photo and the map.
    ///
    /// # Errors
    /// [`Error::Request`] if it would overwrite a photo, or another overlay of this run.
    pub fn file(&mut self, photo: usize, prediction: &Prediction, map: usize) -> Result<PathBuf> {
        let (rank, method) = (map / self.methods.len() + 1, &self.methods[map % self.methods.len()]);
        let class = if self.classes > 1 { format!("-{rank}-{}", slug(&prediction.label)) } else { String::new() };
        let path = self.file_of(&self.stems[photo], &(class + method));
        // Without classes in them, names differ anyway.
        if self.is_taken(&path) || self.classes > 1 && !self.taken.insert(path.clone()) {
            return Err(Error::Request(format!(
                "{}: would write over a photo or another overlay; choose another --output",
                path.display()
            )));
        }
        Ok(path)
    }

    /// Whether an earlier run wrote all overlays of a photo. The last map is written last.
    pub fn exists(&mut self, photo: usize) -> bool {
        let method = self.methods.last().map_or("", String::as_str);
        if self.classes == 1 {
            return self.file_of(&self.stems[photo], method).is_file();
        }
        let last = self.folder.join(&self.stems[photo]);
        let folder = last.parent().unwrap_or(Path::new("")).to_owned();
        let mut prefix = last.file_name().unwrap_or_default().to_owned();
        prefix.push(format!("-{}-", self.classes));
        let list = |folder: &Path| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name()).collect()
        };
        let files = self.listed.entry(folder).or_insert_with_key(|folder| list(folder));
        let begin = |name: &&OsString| name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes());
        let end = |name: &OsString| {
            Path::new(name).file_stem().unwrap_or_default().as_encoded_bytes().ends_with(method.as_bytes())
        };
        files.range(prefix.clone()..).take_while(begin).any(end)
    }

    /// Only what exists can be a photo.
    fn is_taken(&self, path: &Path) -> bool {
        path.canonicalize().is_ok_and(|path| self.taken.contains(&path))
    }
}

/// Fails if no file can be written in the folder, or, as long as it does not exist, in the one that will hold it.
fn check_folder(folder: &Path, named: &Path) -> Result<()> {
    let existing = folder.ancestors().find(|folder| folder.symlink_metadata().is_ok()).unwrap_or(Path::new("."));
    match Unfinished::new(&existing.join("overlay")) {
        Err(Error::Write { source, .. }) => Err(Error::Write { path: named.to_owned(), source }),
        other => other.map(drop),
    }
}

/// Whether `--output` names a file rather than a folder.
fn is_file(path: &Path, is_one: bool) -> Result<bool> {
    let text = path.as_os_str().to_string_lossy();
    let ends = |suffix: char| text.ends_with(suffix);
    if path.is_dir() || ends('/') || ends(std::path::MAIN_SEPARATOR) || path.extension().is_none() {
        return Ok(false);
    }
    match (Format::of(path), is_one) {
        (Some(_), true) => Ok(true),
        (None, false) => Ok(false),
        (Some(_), false) => {
            Err(Error::Request(format!("{text}: is one file, but there may be several photos; name a folder")))
        }
        (None, true) => Err(Error::Request(format!(
            "{text}: overlays are written as .png, .jpg or .jpeg; name it so, or name a folder as {text}/"
        ))),
    }
}

/// A name of at most so many bytes. Whole characters are kept.
fn cut(name: &OsStr, most: usize) -> OsString {
    if name.len() <= most {
        return name.to_owned();
    }
    let text = name.to_string_lossy();
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or(0)].into()
}

/// A label as part of a file name.
fn slug(label: &str) -> String {
    let words = label.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let whole: String = words.collect::<Vec<_>>().join("-").to_lowercase();
    whole.chars().take(SLUG).collect::<String>().trim_end_matches('-').to_owned()
}
