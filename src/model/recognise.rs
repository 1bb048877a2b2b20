//! Finds the architecture that a file's tensors belong to.

use super::weights::{Reader, Weights};
use super::zoo::{Architecture, architectures};
use crate::error::{Error, Result};
use crate::graph::{Builder, Graph, Kind, Op};

/// The architecture of this name. Without a name, the only architecture that has exactly these tensors.
///
/// # Errors
/// [`Error::Weights`] if the name is not known, if the tensors do not fit (with those that are missing, misshapen or
/// unexpected), or if they fit several architectures.
pub fn recognise(weights: &Weights, name: Option<&str>) -> Result<&'static Architecture> {
    let candidates: Vec<&Architecture> = architectures().filter(|a| name.is_none_or(|n| n == a.name)).collect();
    if let (Some(name), true) = (name, candidates.is_empty()) {
        let error = Error::unknown("architecture", name, "gradcam models", architectures().map(|a| a.name));
        return Err(Error::Weights { what: weights.what().to_owned(), reason: error.to_string() });
    }
    let trials: Vec<(&Architecture, Reader)> = candidates.into_iter().map(|a| (a, trial(weights, a))).collect();
    let fitting: Vec<&Architecture> = trials.iter().filter(|(_, r)| r.complaints() == 0).map(|(a, _)| *a).collect();
    match fitting[..] {
        [one] => Ok(one),
        [] => {
            let (nearest, reader) =
                trials.into_iter().min_by_key(|(_, r)| r.complaints()).expect("there are architectures");
            Err(reader.complain(nearest.name))
        }
        ref several => {
            let names = several.iter().map(|a| a.name).collect::<Vec<_>>().join(", ");
            let reason = format!("the tensors fit several architectures: {names}; name one with --arch");
            Err(Error::Weights { what: weights.what().to_owned(), reason })
        }
    }
}

/// Number of classes of the weights, from the classifier's bias.
pub fn classes(weights: &Weights, architecture: &Architecture) -> usize {
    let bias = weights.shape(&format!("{}.bias", architecture.classifier));
    bias.and_then(<[usize]>::first).copied().unwrap_or(1000).max(1)
}

/// Builds the network only to record which tensors it requests.
fn trial<'a>(weights: &'a Weights, architecture: &'static Architecture) -> Reader<'a> {
    let mut reader = weights.reader(architecture.ignored);
    let mut graph = Graph::default();
    let input = graph.input(Kind::Plain, [1, 3, architecture.size, architecture.size]);
    let packed = graph.push(Op::Pack, &[input]);
    let mut builder = Builder::new(graph, &mut reader);
    let built = packed.and_then(|x| (architecture.build)(&mut builder, x, classes(weights, architecture)));
    debug_assert!(built.is_ok(), "{}: {built:?}", architecture.name);
    reader
}
