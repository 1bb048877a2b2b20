//! Names of the classes.

use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};

/// More classes than any classifier has.
const MOST: usize = 1 << 20;

/// Names in class order, each perhaps with another one. Empty if they are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    shown: Vec<String>,
    /// Another name of each class, such as its WordNet id. Empty, or as many.
    others: Vec<String>,
}

impl Labels {
    /// These names.
    pub fn new(shown: Vec<String>) -> Self {
        Self { shown, others: vec![] }
    }

    /// ImageNet's 1000 names, with their WordNet ids.
    pub fn imagenet() -> Self {
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        Self {
            shown: lines(include_str!("../../weights/imagenet_labels.txt")),
            others: lines(include_str!("../../weights/imagenet_synsets.txt")),
        }
    }

    /// The labels in a file: one a line, or JSON as [`Labels::from_json`] reads it.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Weights`].
    pub fn read(path: &Path) -> Result<Vec<String>> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let fail = |reason: &str| Error::Weights { what: path.display().to_string(), reason: reason.into() };
        let text =
            String::from_utf8(bytes).map_err(|_| fail("not a text file; one label a line is needed, or JSON"))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        let labels = match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Array(_) | Value::Object(_))) => Self::from_json(&value).shown,
            _ if text.starts_with(['{', '[']) => vec![],
            _ => text.lines().map(|line| line.trim().to_owned()).collect(),
        };
        if labels.is_empty() {
            return Err(fail(
                "holds no labels; one a line is needed, a JSON list, or a JSON map of labels and numbers",
            ));
        }
        Ok(labels)
    }

    /// The labels of a JSON list, of a map from numbers to labels, or of one from labels to numbers. Empty if it is
    /// none of them.
    pub fn from_json(value: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let shown: Option<Vec<String>> = match value {
            Value::Array(list) => list.iter().map(text).collect(),
            Value::Object(map) => {
                let by_number = |(key, value): (&String, &Value)| Some((key.parse::<usize>().ok()?, text(value)?));
                let by_label = |(key, value): (&String, &Value)| Some((value.as_u64()? as usize, key.clone()));
                let numbered: Option<Vec<(usize, String)>> =
                    map.iter().map(by_label).collect::<Option<_>>().or_else(|| map.iter().map(by_number).collect());
                numbered.filter(|numbered| numbered.iter().all(|(number, _)| *number < MOST)).map(|numbered| {
                    let mut labels: Vec<String> = vec![];
                    for (number, label) in numbered {
                        labels.extend((labels.len()..=number).map(|class| format!("class {class}")));
                        labels[number] = label;
                    }
                    labels
                })
            }
            _ => None,
        };
        Self::new(shown.unwrap_or_default())
    }

    /// Shows what `describe` says of a name instead of the name, which stays as the other name.
    pub fn describe<'a>(&mut self, describe: impl Fn(&str) -> Option<&'a str>) {
        self.others = self.shown.clone();
        self.shown.iter_mut().for_each(|name| *name = describe(name).unwrap_or(name).to_owned());
    }

    /// Whether no names are known.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// A class's name, or its number if no names are known.
    pub fn of(&self, class: usize) -> String {
        self.shown.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
    }

    /// The class, out of `classes`, that is named: by its exact label, else by a label in other letters, else by its
    /// number. Labels may be other names, such as WordNet ids.
    ///
    /// # Errors
    /// [`Error::Unknown`] with similar labels, [`Error::Request`] for a number past the last class, or for a label of
    /// several classes.
    pub fn class(&self, name: &str, classes: usize) -> Result<usize> {
        let labels = || self.shown.iter().enumerate().chain(self.others.iter().enumerate());
        let named = |is: &dyn Fn(&str) -> bool| {
            let mut found: Vec<usize> = labels().filter(|(_, label)| is(label)).map(|(class, _)| class).collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        let exact = named(&|label| label == name);
        let trimmed = name.trim().to_lowercase();
        let found = if exact.is_empty() { named(&|label| label.to_lowercase() == trimmed) } else { exact };
        match found[..] {
            [class] => return Ok(class),
            [] => {}
            _ => {
                let numbers: Vec<String> = found.iter().map(|class| format!("{class} ({})", self.of(*class))).collect();
                return Err(Error::Request(format!(
                    "'{name}' names several classes: {}; give the number or the exact label",
                    numbers.join(", ")
                )));
            }
        }
        match trimmed.parse::<usize>() {
            Ok(class) if class < classes => Ok(class),
            Ok(_) => {
                Err(Error::Request(format!("there is no class {name}; the model's classes are 0 to {}", classes - 1)))
            }
            Err(_) => {
                Err(Error::unknown("class", name, "gradcam models --labels", self.shown.iter().map(String::as_str)))
            }
        }
    }
}
