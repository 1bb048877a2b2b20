//! Names of the classes.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::files::{self, Kind};
use crate::texts::text;

/// More classes than any classifier has.
const MOST: usize = 1 << 20;
/// The largest file.
const LARGEST: u64 = 16 << 20;

/// Names in class order, each perhaps with another one. Empty if they are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    shown: Vec<String>,
    /// Another name of each class, such as its WordNet id. Empty, or as many.
    others: Vec<String>,
}

impl Labels {
    /// These names.
    pub(crate) fn new(shown: Vec<String>) -> Self {
        Self { shown, others: vec![] }
    }

    /// ImageNet's 1000 names, with their WordNet ids.
    pub(crate) fn imagenet() -> Self {
        let lines = |path| text(path).into_iter().flat_map(str::lines).map(str::to_owned).collect();
        Self { shown: lines("weights/imagenet_labels.txt"), others: lines("weights/imagenet_synsets.txt") }
    }

    /// The labels in a file: one a line, a JSON list, or a JSON map from numbers to labels or from labels to numbers.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Weights`].
    pub fn read(path: &Path) -> Result<Vec<String>> {
        let bytes = files::read(path, Kind::Named, LARGEST)?.to_vec();
        let fail = |reason: &str| Error::Weights { what: path.display().to_string(), reason: reason.into() };
        let text =
            String::from_utf8(bytes).map_err(|_| fail("not a text file; one label a line is needed, or JSON"))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        let labels = match text.starts_with(['{', '[']) {
            true => match files::json(&path.display().to_string(), text.as_bytes())? {
                Ok(value) => Self::from_json(&value).shown,
                Err(_) => vec![],
            },
            false => text.lines().map(|line| line.trim().to_owned()).take(MOST + 1).collect(),
        };
        if labels.len() > MOST {
            return Err(fail(&format!("holds more than {MOST} labels; no network has as many")));
        }
        if labels.is_empty() {
            return Err(fail(
                "holds no labels; one a line is needed, a JSON list, or a JSON map of labels and numbers",
            ));
        }
        Ok(labels)
    }

    /// The labels of a JSON list, of a map from numbers to labels, or of one from labels to numbers. Empty if it is
    /// none of them.
    pub(crate) fn from_json(value: &Value) -> Self {
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
                // A map from labels to numbers has each number once, even where the labels are numbers too.
                let to_numbers: Option<Vec<(usize, String)>> = map.iter().map(by_label).collect();
                let each_once = |of: &Vec<(usize, String)>| {
                    (0..of.len()).eq(of.iter().map(|(number, _)| *number).collect::<BTreeSet<_>>())
                };
                let numbered = to_numbers.filter(each_once).or_else(|| map.iter().map(by_number).collect());
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
    pub(crate) fn describe<'a>(&mut self, describe: impl Fn(&str) -> Option<&'a str>) {
        self.others = self.shown.clone();
        self.shown.iter_mut().for_each(|name| *name = describe(name).unwrap_or(name).to_owned());
    }

    /// Whether no names are known.
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Number of names.
    pub(crate) fn len(&self) -> usize {
        self.shown.len()
    }

    /// A class's name, or its number if no names are known.
    pub(crate) fn of(&self, class: usize) -> String {
        self.shown.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
    }

    /// The class, out of `classes`, that is named: by its exact label, else by a label in other letters, else by its
    /// number. Labels may be other names, such as WordNet ids.
    ///
    /// # Errors
    /// [`Error::Unknown`] with similar labels, [`Error::Request`] for a number past the last class, or for a label of
    /// several classes.
    pub(crate) fn class(&self, name: &str, classes: usize) -> Result<usize> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labels(names: &[&str]) -> Labels {
        Labels::new(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn exact_labels_come_first() {
        let numbers = labels(&["0", "1", "10", "2"]);
        assert_eq!(numbers.class("2", 4).unwrap(), 3, "a label before a number");
        assert_eq!(numbers.class("3", 4).unwrap(), 3, "a number where no label is one");
        let findings = labels(&["No Finding", "No finding", "Mass"]);
        assert_eq!((findings.class("No finding", 3).unwrap(), findings.class(" mass ", 3).unwrap()), (1, 2));
        let asked = findings.class("no finding", 3).unwrap_err().to_string();
        assert!(asked.contains("0 (No Finding), 1 (No finding)"), "{asked}");
        assert!(findings.class("3", 3).unwrap_err().to_string().contains("0 to 2"));
    }

    #[test]
    fn word_net_ids() {
        let imagenet = Labels::imagenet();
        assert_eq!(imagenet.len(), 1000);
        assert_eq!((imagenet.class("n02123045", 1000).unwrap(), imagenet.of(281)), (281, "tabby".into()));
        let mut described = labels(&["n01", "n02"]);
        described.describe(|name| (name == "n02").then_some("an animal"));
        assert_eq!((described.of(0), described.of(1)), ("n01".into(), "an animal".into()));
        assert_eq!((described.class("n02", 2).unwrap(), described.class("An Animal", 2).unwrap()), (1, 1));
    }

    #[test]
    fn forms_of_json() {
        let is = |value: Value| Labels::from_json(&value) == labels(&["a", "b"]);
        for value in [json!(["a", "b"]), json!({"1": "b", "0": "a"}), json!({"b": 1, "a": 0})] {
            assert!(is(value.clone()), "{value}");
        }
        assert_eq!(Labels::from_json(&json!({"0": 7, "1": 8})), labels(&["7", "8"]), "labels may be numbers");
        let digits = Labels::from_json(&json!({"0": 0, "1": 1, "10": 2, "2": 3}));
        assert_eq!(digits, labels(&["0", "1", "10", "2"]), "ImageFolder's order");
        for value in [json!(null), json!("a"), json!({"x": "a"}), json!([["a"]]), json!({"99999999999": "a"})] {
            assert!(Labels::from_json(&value).is_empty(), "{value}");
        }
    }

    #[test]
    fn files_of_labels() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("labels");
        let read = |text: &[u8]| {
            std::fs::write(&path, text).unwrap();
            Labels::read(&path)
        };
        for text in ["a\nb\n", "\u{feff}a\r\nb", "[\"a\", \"b\"]", "{\"a\": 0, \"b\": 1}"] {
            assert_eq!(read(text.as_bytes()).unwrap(), ["a", "b"], "{text}");
        }
        for text in [&b""[..], b"{", b"\xff\xfe"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
