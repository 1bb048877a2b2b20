//! Reproducible weights without training, for benchmarks and for comparisons with PyTorch.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::zoo::{self, Architecture, Library};
use super::{Model, ModelOptions};
use crate::error::{Error, Result};
use crate::graph::{Builder, Graph, Kind, Op, ParamSource};

impl Model {
    /// A network with weights from a formula. `tools/networks.py` has the same formula.
    ///
    /// A tensor's numbers depend only on its name and shape, and on `gain`, which scales the weights of norms.
    /// Running means and variances get plausible values, and convolutions keep the variance. If torchvision and timm
    /// both have an architecture `name`, torchvision's is taken, unless `name` begins with `timm/`.
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is no such architecture.
    pub fn seeded(name: &str, classes: usize, gain: f32) -> Result<Self> {
        let (library, short) = match name.split_once('/') {
            Some(("timm", short)) => (Some(Library::Timm), short),
            Some(("torchvision", short)) => (Some(Library::Torchvision), short),
            _ => (None, name),
        };
        let fits = |a: &&Architecture| a.name == short && library.is_none_or(|l| l == a.library);
        let unknown = || Error::unknown("architecture", name, "gradcam models", zoo::architectures().map(|a| a.name));
        let architecture = zoo::architectures().find(fits).ok_or_else(unknown)?;
        Self::seeded_as(architecture, classes, gain)
    }

    /// [`Model::seeded`] for a row of the table of architectures.
    ///
    /// # Errors
    /// None, unless the row is wrong.
    pub fn seeded_as(architecture: &Architecture, classes: usize, gain: f32) -> Result<Self> {
        let mut formula = Formula { gain, tensors: BTreeMap::new() };
        let mut graph = Graph::default();
        let input = graph.input(Kind::Plain, [1, 3, architecture.size, architecture.size]);
        let x = graph.push(Op::Pack, &[input])?;
        (architecture.build)(&mut Builder::new(graph, &mut formula), x, classes)?;
        let tensors = formula.tensors.into_iter().map(|(name, (shape, values))| (name, shape, values));
        let name = format!("{}/{}", architecture.library, architecture.name);
        let options = ModelOptions::default().architecture(name).transform_input(false);
        Self::from_tensors(architecture.name, tensors.collect(), &options)
    }
}

/// Makes each tensor that a network asks for.
struct Formula {
    gain: f32,
    tensors: BTreeMap<String, (Vec<usize>, Arc<[f32]>)>,
}

impl ParamSource for Formula {
    fn get(&mut self, name: &str, shape: &[usize]) -> Arc<[f32]> {
        let values = tensor(name, shape, self.gain);
        self.tensors.insert(name.to_owned(), (shape.to_vec(), values.clone()));
        values
    }
}

/// Reproducible numbers in 0..1: SplitMix64, seeded with the FNV-1a hash of the name.
pub fn unit(name: &str, count: usize) -> impl Iterator<Item = f32> + use<> {
    let mut state =
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    (0..count).map(move |_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
    })
}

/// A tensor with values of plausible size. Batch norms get non-trivial running means and variances, and convolutions
/// keep the variance.
pub fn tensor(name: &str, shape: &[usize], gain: f32) -> Arc<[f32]> {
    let u = unit(name, shape.iter().product());
    let ends = |endings: &[&str]| endings.iter().any(|e| name.ends_with(e));
    if ends(&["running_var"]) {
        u.map(|u| 0.5 + u).collect()
    } else if ends(&["running_mean", "bias"]) {
        u.map(|u| (u - 0.5) * 0.4).collect()
    } else if ends(&["layer_scale", "gamma"]) {
        u.map(|u| 0.1 + 0.5 * u).collect()
    } else if shape.len() == 1 {
        u.map(|u| gain * (0.6 + 0.8 * u)).collect()
    } else {
        let bound = (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt() as f32;
        u.map(|u| (u * 2.0 - 1.0) * bound).collect()
    }
}
