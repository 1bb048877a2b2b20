//! Weights and images from a formula, the same as in `tools/networks.py`: a tensor's numbers follow from its
//! name and shape alone.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::Arc;

use gradcam::Model;
use gradcam::graph::{Builder, Graph, Kind, Op, ParamSource};
use gradcam::model::zoo::Architecture;

/// Reproducible numbers in 0..1: SplitMix64 from the FNV-1a hash of the name.
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

/// A tensor of plausible size: batch norms have true statistics, convolutions keep the variance.
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

/// The architecture with weights from the formula; `gain` scales the weights of its norms.
pub fn model(architecture: &Architecture, classes: usize, gain: f32) -> Model {
    let mut formula = Formula { gain, tensors: BTreeMap::new() };
    let mut graph = Graph::default();
    let input = graph.input(Kind::Plain, [1, 3, architecture.size, architecture.size]);
    let x = graph.push(Op::Pack, &[input]).unwrap();
    (architecture.build)(&mut Builder::new(graph, &mut formula), x, classes).unwrap();
    let tensors = formula.tensors.into_iter().map(|(name, (shape, values))| (name, shape, values));
    Model::from_tensors(architecture.name, tensors.collect(), Some(architecture.name)).unwrap()
}

/// Normalised images, other ones for each variant: patches of different brightness and noise, so that maps vary.
pub fn images([n, c, h, w]: [usize; 4], variant: i64) -> Vec<f32> {
    let noise = unit(&format!("input {variant}"), n * c * h * w).map(|u| u * 4.0 - 2.0);
    let pixel = |(at, noise): (usize, f32)| {
        let (x, y, c, i) = (at % w, at / w % h, at / w / h % c, at / w / h / c);
        let contrast = ((y / 32 + x / 48 + c + i) % 3) as f32 * 0.5;
        let brightness = ((y / 40 + 2 * (x / 56) + c + i) % 4) as f32 - 1.5;
        noise * contrast + brightness
    };
    noise.enumerate().map(pixel).collect()
}
