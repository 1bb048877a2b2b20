//! Names of the classes.

use crate::error::{Error, Result};

/// Names in the order of the classes; none where they are not known.
#[derive(Clone, Default)]
pub struct Labels(Vec<String>);

impl Labels {
    /// Those that a file gives, if they are as many as the classes; ImageNet's for as many classes as that has.
    pub fn new(given: Vec<String>, classes: usize) -> Self {
        if given.len() == classes {
            return Self(given);
        }
        let imagenet = include_str!("../../weights/imagenet_labels.txt").lines();
        Self(if classes == 1000 { imagenet.map(str::to_owned).collect() } else { vec![] })
    }

    /// A class's name; its number where no names are known.
    pub fn of(&self, class: usize) -> String {
        self.0.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
    }

    /// The class, of so many, of a number or of a label, whatever the case.
    ///
    /// # Errors
    /// [`Error::Unknown`] with near labels, [`Error::Request`] for a number past the last.
    pub fn class(&self, name: &str, classes: usize) -> Result<usize> {
        let number = name.parse().ok().filter(|c| *c < classes);
        let labelled = || self.0.iter().position(|l| l.eq_ignore_ascii_case(name.trim()));
        number.or_else(labelled).ok_or_else(|| match name.parse::<usize>() {
            Ok(_) => Error::Request(format!("there is no class {name}; the model's classes are 0 to {}", classes - 1)),
            Err(_) => Error::unknown("class", name, "gradcam models --labels", self.0.iter().map(String::as_str)),
        })
    }
}
