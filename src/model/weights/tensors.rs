//! Trained tensors, independent of the file format.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{Dense, GlobalPool, ParamSource};

/// The tensors of a weights file as f32, and its metadata.
#[derive(Clone)]
pub struct Weights {
    what: String,
    /// The file's free-form metadata.
    pub metadata: HashMap<String, String>,
    tensors: BTreeMap<String, Entry>,
}

/// A tensor under its name in a [`Weights`].
#[derive(Clone)]
struct Entry {
    /// Its name in the file.
    original: String,
    shape: Vec<usize>,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Numbers(Arc<[f32]>),
    /// Of a number format that no network has, such as a counter's.
    Other(String),
}

/// A tensor: name, extents, and values in row-major order.
pub type Tensor = (String, Vec<usize>, Arc<[f32]>);

impl Weights {
    /// Tensors in memory; `what` names them in errors.
    ///
    /// # Errors
    /// [`Error::Weights`] if the number of a tensor's values does not match its extents.
    pub fn new(what: &str, tensors: Vec<Tensor>) -> Result<Self> {
        let mut weights = Self { what: what.to_owned(), metadata: HashMap::new(), tensors: BTreeMap::new() };
        for (name, shape, values) in tensors {
            if shape.iter().product::<usize>() != values.len() {
                return Err(fail(what, format!("tensor '{name}' has {} values, not {shape:?}", values.len())));
            }
            weights.insert(name, shape, Content::Numbers(values));
        }
        Ok(weights)
    }

    /// Notes a tensor whose numbers no network can have; `format` names them.
    pub fn note_other(&mut self, name: String, shape: Vec<usize>, format: String) {
        self.insert(name, shape, Content::Other(format));
    }

    fn insert(&mut self, name: String, shape: Vec<usize>, content: Content) {
        self.tensors.insert(name.clone(), Entry { original: name, shape, content });
    }

    /// Adds the tensors and the metadata of another file.
    pub fn extend(&mut self, other: Self) {
        self.tensors.extend(other.tensors);
        self.metadata.extend(other.metadata);
    }

    /// The tensors that `rename` has a name for, under these names.
    pub fn renamed(&self, rename: impl Fn(&str) -> Option<String>) -> Self {
        let tensors = self.tensors.iter().filter_map(|(name, entry)| Some((rename(name)?, entry.clone())));
        Self { what: self.what.clone(), metadata: HashMap::new(), tensors: tensors.collect() }
    }

    /// The names of all tensors, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// A tensor's name in the file.
    pub fn original(&self, name: &str) -> Option<&str> {
        self.tensors.get(name).map(|entry| entry.original.as_str())
    }

    /// Extents of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|entry| &entry.shape[..])
    }

    /// Whether a tensor has numbers of a format that networks have.
    pub fn is_numbers(&self, name: &str) -> bool {
        self.tensors.get(name).is_some_and(|entry| matches!(entry.content, Content::Numbers(_)))
    }

    /// The tensor of this name, if it has these extents.
    ///
    /// # Errors
    /// The problem with it.
    pub fn fitting(&self, name: &str, shape: &[usize]) -> Result<Arc<[f32]>, Problem> {
        match self.tensors.get(name) {
            None => Err(Problem::Missing(name.to_owned())),
            Some(Entry { shape: found, original, .. }) if found != shape => {
                Err(Problem::Misshapen(format!("{original} {found:?} instead of {shape:?}")))
            }
            Some(Entry { content: Content::Other(format), original, .. }) => {
                Err(Problem::Format(format!("{original} {format}")))
            }
            Some(Entry { content: Content::Numbers(values), .. }) => Ok(values.clone()),
        }
    }

    /// The tensors with numbers.
    pub fn tensors(&self) -> Vec<Tensor> {
        let numbers = |(name, entry): (&String, &Entry)| match &entry.content {
            Content::Numbers(values) => Some((name.clone(), entry.shape.clone(), values.clone())),
            Content::Other(_) => None,
        };
        self.tensors.iter().filter_map(numbers).collect()
    }

    /// A source of these tensors for a network that ends so.
    pub fn reader<'a>(&'a self, ending: &'a Ending) -> Reader<'a> {
        Reader { weights: self, ending }
    }

    /// Fails if a value of a tensor is not finite.
    ///
    /// # Errors
    /// [`Error::Weights`] with the place.
    pub fn check_finite(&self) -> Result<()> {
        for Entry { original, content, .. } in self.tensors.values() {
            let Content::Numbers(values) = content else { continue };
            // A branch for each number would keep the CPU from checking several at once.
            let finite = |chunk: &[f32]| chunk.iter().fold(true, |all, v| all & v.is_finite());
            if !values.chunks(1 << 12).all(finite) {
                let at = values.iter().position(|v| !v.is_finite()).unwrap_or_default();
                let value = values[at];
                let reason = format!("tensor '{original}' holds {value} at {at}; export the weights again");
                return Err(fail(&self.what, reason));
            }
        }
        Ok(())
    }

    /// The name used in errors.
    pub fn what(&self) -> &str {
        &self.what
    }
}

/// What a network does at its end and with its strides, where that is not the architecture's own way.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// The classifier's layers, if they are not the architecture's own.
    pub head: Option<Vec<Dense>>,
    /// How the last feature map is pooled.
    pub pool: GlobalPool,
    /// The stride of the last feature map, if a network should dilate instead.
    pub output_stride: Option<usize>,
}

/// Provides the tensors of a network that was recognised.
pub struct Reader<'a> {
    weights: &'a Weights,
    ending: &'a Ending,
}

/// Why a tensor of an architecture cannot be had.
#[derive(Clone, Debug)]
pub enum Problem {
    /// There is none of this name.
    Missing(String),
    /// It has other extents. The text says which.
    Misshapen(String),
    /// Its numbers have another format. The text says which.
    Format(String),
}

impl ParamSource for Reader<'_> {
    fn get(&mut self, name: &str, shape: &[usize]) -> Arc<[f32]> {
        // All were there when the network was recognised.
        self.weights.fitting(name, shape).unwrap_or_default()
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.weights.shape(name)
    }

    fn head(&mut self, _root: &str, _features: usize) -> Option<Vec<Dense>> {
        self.ending.head.clone()
    }

    fn global_pool(&self) -> GlobalPool {
        self.ending.pool
    }

    fn output_stride(&self) -> usize {
        self.ending.output_stride.unwrap_or(32)
    }
}

pub fn fail(what: &str, reason: String) -> Error {
    Error::Weights { what: what.to_owned(), reason }
}
