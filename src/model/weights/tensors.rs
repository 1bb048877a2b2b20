//! Trained tensors, independent of the file format.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::ParamSource;

/// The tensors of a weights file as f32, and its metadata.
#[derive(Clone)]
pub struct Weights {
    what: String,
    /// The file's free-form metadata.
    pub metadata: HashMap<String, String>,
    tensors: BTreeMap<String, (Vec<usize>, Arc<[f32]>)>,
}

/// A tensor: name, extents, and values in row-major order.
pub type Tensor = (String, Vec<usize>, Arc<[f32]>);

impl Weights {
    /// Tensors in memory; `what` names them in errors.
    ///
    /// # Errors
    /// [`Error::Weights`] if the number of a tensor's values does not match its extents, or a value is not finite.
    pub fn new(what: &str, tensors: Vec<Tensor>) -> Result<Self> {
        for (name, shape, values) in &tensors {
            if shape.iter().product::<usize>() != values.len() {
                return Err(fail(what, format!("tensor '{name}' has {} values, not {shape:?}", values.len())));
            }
            if let Some(at) = values.iter().position(|v| !v.is_finite()) {
                let value = values[at];
                return Err(fail(what, format!("tensor '{name}' holds {value} at {at}; export the weights again")));
            }
        }
        let tensors = tensors.into_iter().map(|(name, shape, values)| (name, (shape, values))).collect();
        Ok(Self { what: what.to_owned(), metadata: HashMap::new(), tensors })
    }

    /// Extents of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|(shape, _)| &shape[..])
    }

    /// A reader that records errors. It does not report unused tensors whose names begin with one of `ignored`.
    pub fn reader(&self, ignored: &'static [&'static str]) -> Reader<'_> {
        Reader { weights: self, ignored, missing: vec![], misshapen: vec![], used: BTreeSet::new() }
    }

    /// The name used in errors.
    pub fn what(&self) -> &str {
        &self.what
    }
}

/// Provides tensors while a network is built, and then reports those that did not fit.
pub struct Reader<'a> {
    weights: &'a Weights,
    ignored: &'static [&'static str],
    missing: Vec<String>,
    misshapen: Vec<String>,
    used: BTreeSet<String>,
}

impl Reader<'_> {
    /// Number of tensors that are missing, misshapen, or were never requested.
    pub fn complaints(&self) -> usize {
        self.missing.len() + self.misshapen.len() + self.unexpected().len()
    }

    /// An error that names the first ten tensors of each kind and counts the rest.
    pub fn complain(self, architecture: &str) -> Error {
        let unexpected = self.unexpected();
        let kinds = [("missing", self.missing), ("of another shape", self.misshapen), ("unexpected", unexpected)];
        let kinds = kinds.into_iter().filter(|(_, names)| !names.is_empty());
        let complaints: Vec<String> = kinds.map(|(kind, names)| format!("{kind}: {}", first_ten(&names))).collect();
        fail(&self.weights.what, format!("the tensors are not those of {architecture}; {}", complaints.join("; ")))
    }

    fn unexpected(&self) -> Vec<String> {
        let ignored = |name: &str| self.ignored.iter().any(|beginning| name.starts_with(beginning));
        self.weights.tensors.keys().filter(|name| !self.used.contains(*name) && !ignored(name)).cloned().collect()
    }
}

impl ParamSource for Reader<'_> {
    fn get(&mut self, name: &str, shape: &[usize]) -> Arc<[f32]> {
        self.used.insert(name.to_owned());
        match self.weights.tensors.get(name) {
            Some((found, values)) if found == shape => return values.clone(),
            Some((found, _)) => self.misshapen.push(format!("{name} {found:?} instead of {shape:?}")),
            None => self.missing.push(name.to_owned()),
        }
        // From here on the network is built only to collect errors, so the values do not matter.
        Arc::new([])
    }
}

fn first_ten(names: &[String]) -> String {
    let shown = names.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 10 { format!("{shown} and {} more", names.len() - 10) } else { shown }
}

pub fn fail(what: &str, reason: String) -> Error {
    Error::Weights { what: what.to_owned(), reason }
}
