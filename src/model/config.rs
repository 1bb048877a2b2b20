//! `config.json` as the Hugging Face hub stores it beside a weights file: architecture, preprocessing and labels.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};

/// The entries of `config.json` that are read. All others are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Config {
    architecture: Option<String>,
    pretrained_cfg: HashMap<String, Value>,
    label_names: Vec<String>,
    /// Labels by class number, as the transformers library writes them.
    id2label: BTreeMap<String, String>,
}

impl Config {
    /// The file beside `weights`, if there is one.
    ///
    /// # Errors
    /// [`Error::Weights`] if it cannot be parsed.
    pub fn beside(weights: &Path) -> Result<Option<Self>> {
        let path = weights.with_file_name("config.json");
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
        let parsed = serde_json::from_str(&text);
        parsed
            .map(Some)
            .map_err(|e| Error::Weights { what: path.display().to_string(), reason: format!("cannot be read: {e}") })
    }

    /// The entries in the form of a weights file's metadata.
    pub fn metadata(&self) -> HashMap<String, String> {
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let known = ["input_size", "crop_pct", "interpolation", "mean", "std", "transform_input"];
        let entries = known.iter().filter_map(|key| Some(((*key).to_owned(), plain(self.pretrained_cfg.get(*key)?))));
        let architecture = self.architecture.iter().map(|name| ("architecture".to_owned(), name.clone()));
        entries.chain(architecture).collect()
    }

    /// Names of the classes in order. Empty if the file gives none.
    pub fn labels(&self) -> Vec<String> {
        if !self.label_names.is_empty() {
            return self.label_names.clone();
        }
        let mut numbered: Vec<(usize, &String)> =
            self.id2label.iter().filter_map(|(id, label)| Some((id.parse().ok()?, label))).collect();
        numbered.sort();
        numbered.into_iter().map(|(_, label)| label.clone()).collect()
    }
}
