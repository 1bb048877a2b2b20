//! Names of the classes.

use crate::error::{Error, Result};

/// Names in class order. Empty if they are not known.
#[derive(Clone, Default)]
pub struct Labels(Vec<String>);

impl Labels {
    /// The given names, if there is one for each class. Otherwise ImageNet's names for 1000 classes, and none for any
    /// other number of classes.
    pub fn new(given: Vec<String>, classes: usize) -> Self {
        if given.len() == classes {
            return Self(given);
        }
        let imagenet = include_str!("../../weights/imagenet_labels.txt").lines();
        Self(if classes == 1000 { imagenet.map(str::to_owned).collect() } else { vec![] })
    }

    /// A class's name, or its number if no names are known.
    pub fn of(&self, class: usize) -> String {
        self.0.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
    }

    /// The class, out of `classes`, that a number or a label names. Upper and lower case are equal.
    ///
    /// # Errors
    /// [`Error::Unknown`] with similar labels, [`Error::Request`] for a number past the last class.
    pub fn class(&self, name: &str, classes: usize) -> Result<usize> {
        let number = name.parse().ok().filter(|c| *c < classes);
        let labelled = || self.0.iter().position(|l| l.eq_ignore_ascii_case(name.trim()));
        number.or_else(labelled).ok_or_else(|| match name.parse::<usize>() {
            Ok(_) => Error::Request(format!("there is no class {name}; the model's classes are 0 to {}", classes - 1)),
            Err(_) => Error::unknown("class", name, "gradcam models --labels", self.0.iter().map(String::as_str)),
        })
    }
}
