//! What is known about a model besides its tensors, and who said so.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::error::Error;

/// Who said how a model is to be used. An earlier one takes precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Origin {
    /// The caller.
    Option,
    /// The weights file's metadata.
    File,
    /// A `config.json` or `preprocessor_config.json` beside the weights.
    Config,
    /// The tensors.
    Tensors,
    /// The library that the architecture is from: so it prepares photos for its own trained weights.
    Library,
    /// Nobody. It is what is usual.
    Assumed,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            Self::Option => "option",
            Self::File => "file",
            Self::Config => "config",
            Self::Tensors => "tensors",
            Self::Library => "library",
            Self::Assumed => "assumption",
        })
    }
}

impl Origin {
    /// Whether the model's own files, or the caller, said it.
    pub fn is_known(self) -> bool {
        self < Self::Library
    }
}

/// Values by name. The first one noted for a name stays.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    entries: BTreeMap<String, (Value, Origin)>,
}

impl Facts {
    /// Notes a value, unless one of this name is known or it is null. `resize` and `crop_pct` say the same.
    pub fn note(&mut self, name: &str, value: Value, origin: Origin) {
        let other = match name {
            "resize" => "crop_pct",
            "crop_pct" => "resize",
            name => name,
        };
        if !value.is_null() && !self.entries.contains_key(other) {
            self.entries.entry(name.to_owned()).or_insert((value, origin));
        }
    }

    /// Notes the entries of a file's metadata. They are texts that hold JSON, or a word.
    pub fn note_metadata(&mut self, metadata: &HashMap<String, String>) {
        // In the order of their names, so that it is the same in each run.
        let mut sorted: Vec<(&String, &String)> = metadata.iter().collect();
        sorted.sort_unstable();
        for (name, text) in sorted {
            let value = serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into());
            self.note(name, value, Origin::File);
        }
    }

    /// The value of this name, and who said it.
    pub fn get(&self, name: &str) -> Option<(&Value, Origin)> {
        self.entries.get(name).map(|(value, origin)| (value, *origin))
    }

    /// The text of this name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.0.as_str()
    }

    /// The value that `read` makes of an entry.
    ///
    /// # Errors
    /// [`Error::Weights`] for the model `what` if there is an entry and `read` cannot use it; `needed` says what it can.
    pub fn read<T>(
        &self,
        what: &str,
        name: &str,
        needed: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<(T, Origin)>, Error> {
        let Some((value, origin)) = self.get(name) else { return Ok(None) };
        let by = match origin {
            Origin::Option => format!("--{}", name.replace('_', "-").replace("input-size", "size")),
            Origin::File => format!("metadata '{name}'"),
            _ => format!("config.json's '{name}'"),
        };
        let wrong = || Error::Weights { what: what.to_owned(), reason: format!("{by} is {value}; {needed}") };
        read(value).map(|value| Some((value, origin))).ok_or_else(wrong)
    }
}
