//! What folders hold besides photos, counted by kind.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::path::Path;

/// Folders of other programs, and files that systems put beside photos.
const HIDDEN: [&str; 5] = ["Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "$RECYCLE.BIN"];

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A file of another kind, by its ending in capitals.
    Ending(String),
    Text,
    /// A file without an ending.
    Bare,
    /// A pipe, a socket or a device.
    Special,
    /// A link to a folder that is read already.
    Repeated,
    /// An overlay of an earlier run.
    Overlay,
    Hidden,
}

impl Kind {
    /// The kind of a file that is no picture, by its name.
    pub fn of(path: &Path) -> Self {
        match path.extension().map(|e| e.to_string_lossy().to_uppercase()) {
            None => Self::Bare,
            Some(ending) if ending == "TXT" => Self::Text,
            Some(ending) => Self::Ending(ending),
        }
    }
}

/// Whether a file or folder is not meant to be seen.
pub fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || HIDDEN.iter().any(|hidden| name.eq_ignore_ascii_case(hidden))
}

/// How many of each kind.
#[derive(Default)]
pub struct LeftOut(BTreeMap<Kind, usize>);

impl LeftOut {
    pub fn add(&mut self, kind: Kind) {
        *self.0.entry(kind).or_default() += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (i, (kind, count)) in self.0.iter().enumerate() {
            let (one, many) = match kind {
                Kind::Ending(ending) => (ending.as_str(), ending.as_str()),
                Kind::Text => ("text file", "text files"),
                Kind::Bare => ("file without ending", "files without ending"),
                Kind::Special => ("special file", "special files"),
                Kind::Repeated => ("link to a folder read already", "links to folders read already"),
                Kind::Overlay => ("overlay of an earlier run", "overlays of earlier runs"),
                Kind::Hidden => ("hidden", "hidden"),
            };
            write!(f, "{}{count} {}", if i > 0 { ", " } else { "" }, if *count == 1 { one } else { many })?;
        }
        Ok(())
    }
}
