//! Helpers that several test programs share.
#![allow(dead_code)]

use gradcam::gpu::{Gpu, GpuOptions, Session, Stats, Weights};
use gradcam::graph::{Graph, Kind, NodeId, Shape};
use gradcam::kernels::{Costs, Factors, Profile, Tile};
use gradcam::plan::Plan;
use gradcam::reference::{self, Value};
pub use gradcam::verify::net::Random;

/// Each kernel profile, with and without the shaders' run-time checks.
pub fn every_gpu() -> Vec<(String, Gpu)> {
    gpus(Profile::ALL)
}

/// Profiles that compute every matrix product with one kind of macro tile each: all kinds that do not use matrix
/// units.
pub fn macro_tiles() -> impl Iterator<Item = Profile> {
    let plain = |tile: &&Tile| tile.team.is_some_and(|team| team.factors == Factors::F32);
    Profile::BUFFERS_SHARED.shared.iter().filter(plain).map(|tile| {
        let name = format!("{tile:?}").leak();
        Profile { name, tiles: &[], shared: std::slice::from_ref(tile), storage: 32768, ..Profile::BUFFERS_SHARED }
    })
}

/// A profile for a device that even the smallest maps occupy fully, so that only the amount of work decides.
pub fn busy(profile: Profile) -> Profile {
    Profile { costs: Costs { parallel: 1.0, wait: 0.0, ..profile.costs }, ..profile }
}

/// Profiles whose products go through all tiles for a few strips, then for the next few.
pub fn short_runs() -> impl Iterator<Item = Profile> {
    [(Profile::TEXTURES, "textures, short runs"), (Profile::TEXTURES_SUBGROUP, "textures-subgroup, short runs")]
        .into_iter()
        .map(|(profile, name)| Profile { name, near: 1, ..profile })
}

/// A device for each profile, with and without the shaders' run-time checks. If `GRADCAM_TEST_VARIANT` names a
/// variant, as in `make check`, only its profiles are opened, without checks.
pub fn gpus(profiles: impl IntoIterator<Item = Profile>) -> Vec<(String, Gpu)> {
    let only = std::env::var("GRADCAM_TEST_VARIANT").ok();
    let wanted = |profile: &Profile| only.as_ref().is_none_or(|name| profile.name.split(',').next() == Some(name));
    let checks: &[bool] = if only.is_some() { &[false] } else { &[false, true] };
    let options =
        profiles.into_iter().filter(wanted).flat_map(|p| checks.iter().map(move |&checked| (p.clone(), checked)));
    options
        .map(|(profile, checked)| {
            let name = format!("{}{}", profile.name, if checked { ", checked" } else { "" });
            let options = GpuOptions::default().profile(profile).checked(checked);
            (name, pollster::block_on(Gpu::open(&options)).expect("a graphics adapter: run `make setup`"))
        })
        .collect()
}

/// Runs `outputs` of the graph on a GPU with plain f32 inputs.
pub fn run_gpu(gpu: &Gpu, graph: &Graph, inputs: &[(NodeId, Vec<f32>)], outputs: &[NodeId]) -> (Vec<Vec<f32>>, Stats) {
    let plan = Plan::new(graph, gpu.profile(), outputs);
    let session = pollster::block_on(Session::new(gpu, &mut Weights::default(), graph, &plan)).unwrap();
    let bytes: Vec<_> = inputs.iter().map(|(id, v)| (*id, bytemuck::cast_slice(v))).collect();
    let (values, stats) = pollster::block_on(session.run(gpu, &bytes)).unwrap();
    (values.iter().map(|v| bytemuck::pod_collect_to_vec(v)).collect(), stats)
}

/// Computes `outputs` of the graph by the CPU reference.
pub fn run_cpu(graph: &Graph, inputs: &[(NodeId, Vec<f32>)], outputs: &[NodeId]) -> Vec<Vec<f64>> {
    let wide = |v: &Vec<f32>| Value::Numbers(v.iter().map(|&v| f64::from(v)).collect());
    let inputs: Vec<_> = inputs.iter().map(|(id, v)| (*id, wide(v))).collect();
    reference::evaluate(graph, &inputs, outputs).into_iter().map(|v| v.numbers().to_vec()).collect()
}

/// A plain input with random values, packed into features.
pub fn features(graph: &mut Graph, random: &mut Random, inputs: &mut Vec<(NodeId, Vec<f32>)>, shape: Shape) -> NodeId {
    let plain = graph.input(Kind::Plain, shape);
    inputs.push((plain, random.numbers(shape.iter().product())));
    graph.push(gradcam::graph::Op::Pack, &[plain]).unwrap()
}

/// Greatest difference, relative to the greatest magnitude of the reference's values.
pub fn error(found: &[f32], truth: &[f64]) -> f64 {
    assert_eq!(found.len(), truth.len());
    let scale = truth.iter().fold(1e-30, |m: f64, v| m.max(v.abs()));
    let differences = found.iter().zip(truth).map(|(f, t)| (f64::from(*f) - t).abs() / scale);
    differences.fold(0.0, |m, d| if d.is_nan() { f64::INFINITY } else { m.max(d) })
}
