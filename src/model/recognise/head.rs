//! Reads a classifier of one's own from its tensors.
//!
//! Tensors tell linear layers and norms, and where other modules stood between them, but not which. Between two linear
//! layers one of those was an activation, since without one the two would be one.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::graph::{Activation, Dense};
use crate::model::weights::Weights;

/// A classifier, as far as tensors tell it.
pub struct Chain {
    pub layers: Vec<Dense>,
    /// Numbers that the first layer takes.
    pub features: usize,
    /// Numbers that the last layer gives.
    pub classes: usize,
    /// Number of activations that are assumed.
    pub activations: usize,
}

/// The layers whose tensors are under the module `root`, in the order of their names. None, if there is no linear layer.
///
/// # Errors
/// What keeps the tensors from being a classifier.
pub fn chain(weights: &Weights, root: &str, activation: Activation) -> Result<Option<Chain>, String> {
    let mut modules: BTreeMap<Path, Vec<&str>> = BTreeMap::new();
    for name in weights.names() {
        let Some(inner) = name.strip_prefix(root).and_then(|rest| rest.strip_prefix('.')) else { continue };
        let (path, tensor) = inner.rsplit_once('.').unwrap_or(("", inner));
        modules.entry(Path(path.to_owned())).or_default().push(tensor);
    }
    let mut read: Vec<(String, Dense)> = vec![];
    let (mut features, mut width) = (None, None);
    for (Path(path), tensors) in modules {
        let full = if path.is_empty() { root.to_owned() } else { format!("{root}.{path}") };
        let shape = weights.shape(&format!("{full}.weight")).unwrap_or_default();
        let has = |tensor: &str| tensors.contains(&tensor);
        let (layer, takes, gives) = match *shape {
            [out, takes] if tensors.iter().all(|t| matches!(*t, "weight" | "bias")) => {
                (Dense::Linear(path.clone(), out, has("bias")), takes, out)
            }
            [c] if has("running_mean") && tensors.len() == 4 => (Dense::BatchNorm(path.clone()), c, c),
            [c] if has("bias") && tensors.len() == 2 => (Dense::LayerNorm(path.clone()), c, c),
            _ => return Err(format!("'{full}' is neither a linear layer nor a norm")),
        };
        if weights.shape(&format!("{full}.bias")).is_some_and(|bias| *bias != [gives]) {
            return Err(format!("'{full}.weight' is {shape:?}, but its bias has another length"));
        }
        if width.is_some_and(|width| width != takes) {
            return Err(format!("'{full}' does not take what the layer before it gives"));
        }
        features.get_or_insert(takes);
        width = Some(gives);
        read.push((path, layer));
    }
    let linear = |(_, layer): &(String, Dense)| matches!(layer, Dense::Linear(..));
    let (Some(features), Some(classes), Some(last)) = (features, width, read.iter().rposition(linear)) else {
        return Ok(None);
    };
    if last + 1 != read.len() {
        return Err("a norm is the last layer of the classifier".into());
    }
    let mut layers = vec![];
    let (mut activations, mut pending) = (0, false);
    for (at, (path, layer)) in read.iter().enumerate() {
        pending |= matches!(layer, Dense::Linear(..));
        layers.push(layer.clone());
        // The first place behind a linear layer where another module stood.
        if let (Some((next, _)), true) = (read.get(at + 1), pending)
            && between(path, next) > 0
        {
            layers.push(Dense::Activate(activation));
            (activations, pending) = (activations + 1, false);
        }
    }
    Ok(Some(Chain { layers, features, classes, activations }))
}

/// How many modules stood between two, by their numbers. One, if they have none.
fn between(path: &str, next: &str) -> usize {
    let split = |path: &str| {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        Some((parent.to_owned(), name.parse::<usize>().ok()?))
    };
    match (split(path), split(next)) {
        (Some((parent, number)), Some((other, after))) if parent == other => after.saturating_sub(number + 1),
        _ => 1,
    }
}

/// A module path. Numbers in it are ordered as numbers.
#[derive(PartialEq, Eq)]
struct Path(String);

impl Ord for Path {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = |path: &Self| -> Vec<(Option<usize>, String)> {
            path.0.split('.').map(|part| (part.parse().ok(), part.to_owned())).collect()
        };
        parts(self).cmp(&parts(other))
    }
}

impl PartialOrd for Path {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
