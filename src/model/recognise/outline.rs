//! The tensors that an architecture asks for, found by building it without values.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use crate::graph::{Builder, Dense, Graph, GraphError, Kind, Op, ParamSource};
use crate::model::weights::{Ending, Problem, Weights};
use crate::model::zoo::Architecture;

/// Names and extents of an architecture's tensors.
pub struct Outline {
    tensors: Vec<(String, Vec<usize>)>,
    /// How many of them come before the classifier.
    body: usize,
    /// Module path of the classifier.
    pub root: String,
    /// How many numbers the classifier takes.
    pub features: usize,
}

impl Outline {
    /// The outline of an architecture for so many classes. Where its family takes its depth and width from the tensors,
    /// those of `weights` tell.
    pub fn of(
        architecture: &Architecture,
        classes: usize,
        weights: &Weights,
        ending: &Ending,
    ) -> Result<Self, GraphError> {
        let outline = Self { tensors: vec![], body: 0, root: String::new(), features: 0 };
        let mut asked = Asked { weights, ending, outline };
        let mut graph = Graph::default();
        let input = graph.input(Kind::Plain, [1, 3, architecture.size, architecture.size]);
        let x = graph.push(Op::Pack, &[input])?;
        (architecture.build)(&mut Builder::new(graph, &mut asked), x, classes)?;
        Ok(asked.outline)
    }

    /// The tensors before the classifier.
    pub fn body(&self) -> &[(String, Vec<usize>)] {
        &self.tensors[..self.body]
    }

    /// The tensors of the architecture's own classifier.
    pub fn head(&self) -> &[(String, Vec<usize>)] {
        &self.tensors[self.body..]
    }

    /// Name of the first convolution's weight.
    pub fn first(&self) -> &str {
        &self.tensors[0].0
    }

    /// The tensors before the classifier that are not there.
    pub fn problems(&self, view: &Weights) -> Vec<Problem> {
        let body = self.body().iter().enumerate();
        body.filter_map(|(at, (name, shape))| view.fitting(name, &expected(at, shape, view.shape(name))).err())
            .collect()
    }

    /// The tensors that an architecture does not ask for.
    pub fn unexpected<'a>(&self, architecture: &Architecture, view: &'a Weights) -> Vec<&'a str> {
        let asked = self.names();
        let is_unexpected = |name: &&str| {
            let ignored = architecture.ignored.iter().any(|beginning| name.starts_with(beginning));
            !asked.contains(name) && !is_under(name, &self.root) && !ignored
        };
        view.names().filter(is_unexpected).collect()
    }

    /// The share of the tensors that are there. Unexpected ones in the body's own modules count against it: they would
    /// change what it computes.
    pub fn share(&self, architecture: &Architecture, view: &Weights) -> f64 {
        let body = self.body().iter().enumerate();
        let fits = |(at, (name, shape)): &(usize, &(String, Vec<usize>))| {
            view.shape(name).is_some_and(|found| *expected(*at, shape, Some(found)) == *found && view.is_numbers(name))
        };
        let fitting = body.filter(fits).count();
        if fitting == 0 {
            return 0.0;
        }
        let tops: HashSet<&str> = self.body().iter().map(|(name, _)| top(name)).collect();
        let inside = self.unexpected(architecture, view).iter().filter(|name| tops.contains(top(name))).count();
        fitting as f64 / (self.body().len() + inside) as f64
    }

    /// The names of the tensors before the classifier.
    pub fn names(&self) -> HashSet<&str> {
        self.body().iter().map(|(name, _)| &name[..]).collect()
    }
}

/// The extents that a tensor should have. The first one, a convolution's weight, takes any number of channels.
fn expected<'a>(at: usize, shape: &'a [usize], found: Option<&[usize]>) -> Cow<'a, [usize]> {
    match found {
        Some(&[_, channels, _, _]) if at == 0 => vec![shape[0], channels, shape[2], shape[3]].into(),
        _ => shape.into(),
    }
}

/// The first part of a module path.
fn top(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// Whether a name is that of a tensor in the module `root`.
pub fn is_under(name: &str, root: &str) -> bool {
    name.strip_prefix(root).is_some_and(|rest| rest.starts_with('.'))
}

/// Notes what a network asks for.
struct Asked<'a> {
    weights: &'a Weights,
    ending: &'a Ending,
    outline: Outline,
}

impl ParamSource for Asked<'_> {
    fn get(&mut self, name: &str, shape: &[usize]) -> Arc<[f32]> {
        self.outline.tensors.push((name.to_owned(), shape.to_vec()));
        Arc::new([])
    }

    fn shape(&self, name: &str) -> Option<&[usize]> {
        self.weights.shape(name)
    }

    fn head(&mut self, root: &str, features: usize) -> Option<Vec<Dense>> {
        let Outline { tensors, body, root: own, features: own_features } = &mut self.outline;
        (*body, *own, *own_features) = (tensors.len(), root.to_owned(), features);
        None
    }

    fn output_stride(&self) -> usize {
        self.ending.output_stride.unwrap_or(32)
    }
}
