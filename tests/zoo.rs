//! Every architecture compared with pytorch-grad-cam 1.5.7 on PyTorch, with weights from a formula; see
//! `tools/make_network_goldens.py`.
//!
//! Takes several minutes on two cores: each architecture is a whole network of up to 100 million parameters, whose
//! weights are made and packed and whose kernels are compiled. Larger networks take minutes and gigabytes each. They
//! run with `GRADCAM_TEST_GIANTS=1`, which `make test-all` sets. `GRADCAM_TEST_VARIANT=buffers`, or another name,
//! selects a variant.

mod common;
#[path = "common/formula.rs"]
mod formula;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use gradcam::gpu::{Gpu, GpuOptions};
use gradcam::kernels::Profile;
use gradcam::model::zoo::{Architecture, architectures};
use gradcam::{Classes, Device, Explainer, Images, Model, Outputs};
use safetensors::SafeTensors;

/// Relative to the largest logit.
const LOGIT_TOLERANCE: f64 = 1e-4;
/// Absolute, for a heat map in 0..1.
const MAP_TOLERANCE: f64 = 1e-3;
/// Not the size of ImageNet's head, and not divisible by four.
const CLASSES: usize = 101;

/// The golden of a giant has no second size.
fn is_giant(architecture: &Architecture, golden: &SafeTensors) -> bool {
    golden.tensor(&format!("{} 193x227 heatmap", architecture.default_layer)).is_err()
}

fn golden(architecture: &Architecture) -> PathBuf {
    let library = format!("{:?}", architecture.library).to_lowercase();
    let name = format!("{library}-{}.safetensors", architecture.name);
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/networks").join(name)
}

/// A device with the variant that suits it, or with `GRADCAM_TEST_VARIANT`. `GRADCAM_TEST_CHECKED` turns the shaders'
/// run-time checks on.
fn device() -> Device {
    let profile = std::env::var("GRADCAM_TEST_VARIANT").ok().map(|name| Profile::named(&name).unwrap());
    let checked = std::env::var_os("GRADCAM_TEST_CHECKED").is_some();
    let options = GpuOptions::default().profile(profile).checked(checked);
    Device::from(pollster::block_on(Gpu::open(&options)).expect("a graphics adapter: run `make setup`"))
}

/// The largest errors of logits and of heat maps over all cases of the golden.
fn compare(architecture: &Architecture, golden: &SafeTensors) -> [f64; 2] {
    let read = |name: String| golden.tensor(&name).unwrap().data().to_vec();
    let gain: Vec<f32> = bytemuck::pod_collect_to_vec(&read("gain".into()));
    let mut explainer = Explainer::new(Model::seeded_as(architecture, CLASSES, gain[0]).unwrap(), device());
    let mut worst = [0.0_f64; 2];
    for case in golden.names().iter().filter_map(|n| n.strip_suffix(" heatmap")) {
        let (layer, size) = case.rsplit_once(' ').unwrap();
        let (h, w) = size.split_once('x').unwrap();
        let shape = [2, 3, h.parse().unwrap(), w.parse().unwrap()];
        explainer = explainer.with_layer(layer).unwrap();
        let classes: Vec<i64> = bytemuck::pod_collect_to_vec(&read(format!("{case} classes")));
        let logits: Vec<f32> = bytemuck::pod_collect_to_vec(&read(format!("{case} logits")));
        let maps: Vec<u16> = bytemuck::pod_collect_to_vec(&read(format!("{case} heatmap")));
        assert_ne!(classes[0], classes[1]);
        let classes = Classes::PerImage(classes.iter().map(|&c| vec![c as usize]).collect());
        let outputs = Outputs::default().predictions(1).logits(true).heatmap(true);
        let variants: Vec<i64> = bytemuck::pod_collect_to_vec(&read(format!("{case} images")));
        let image = 3 * shape[2] * shape[3];
        let of_variant = |i: usize| formula::images(shape, variants[i])[i * image..(i + 1) * image].to_vec();
        let values = [of_variant(0), of_variant(1)].concat();
        let batch = explainer.explain(Images::Tensor { shape, values: &values }, &classes, &outputs).unwrap();

        let scale = logits.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let sampled = shape[2].div_ceil(5) * shape[3].div_ceil(5);
        assert_eq!((logits.len(), maps.len()), (2 * CLASSES, 2 * sampled), "{case}");
        for (i, explanation) in batch.explanations.iter().enumerate() {
            let truth = &logits[i * CLASSES..][..CLASSES];
            for (found, truth) in explanation.logits.as_ref().unwrap().iter().zip(truth) {
                worst[0] = worst[0].max(f64::from((found - truth).abs() / scale));
            }
            let best = (0..CLASSES).max_by(|&a, &b| truth[a].total_cmp(&truth[b])).unwrap();
            assert_eq!(explanation.predictions[0].class, best, "{} at {case}", architecture.name);
            let map = explanation.heatmaps[0].heatmap.as_ref().unwrap();
            let rows = map.values.chunks(map.width).step_by(5).flat_map(|row| row.iter().step_by(5));
            for (found, truth) in rows.zip(&maps[i * sampled..][..sampled]) {
                let error = (f64::from(*found) - f64::from(*truth) / 65535.0).abs();
                worst[1] = if error.is_nan() { f64::INFINITY } else { worst[1].max(error) };
            }
        }
    }
    worst
}

#[test]
fn every_network_equals_pytorch() {
    let giants = std::env::var_os("GRADCAM_TEST_GIANTS").is_some();
    let queue = Mutex::new(architectures().filter(|a| !a.family));
    let failures = Mutex::new(vec![]);
    let compared = AtomicUsize::new(0);
    let work = || {
        while let Some(architecture) = { queue.lock().unwrap().next() } {
            let file = golden(architecture);
            let bytes = std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            let golden = SafeTensors::deserialize(&bytes).unwrap();
            if is_giant(architecture, &golden) != giants {
                continue;
            }
            let start = std::time::Instant::now();
            let [logits, maps] = compare(architecture, &golden);
            let network = format!("{:?} {}", architecture.library, architecture.name).to_lowercase();
            let line =
                format!("{network}: logits {logits:.1e}, heat maps {maps:.1e}, {:.1} s", start.elapsed().as_secs_f64());
            println!("{line}");
            if logits > LOGIT_TOLERANCE || maps > MAP_TOLERANCE {
                failures.lock().unwrap().push(line);
            }
            compared.fetch_add(1, Ordering::Relaxed);
        }
    };
    // Weights are made and packed on a single core, so a second network can use the others. Giants run one at a time
    // because of their memory.
    std::thread::scope(|scope| {
        (0..if giants { 1 } else { 2 }).for_each(|_| drop(scope.spawn(work)));
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared.into_inner() >= 5);
}

/// Each golden has a row. Each row has a golden, and its name occurs once per library.
#[test]
fn goldens_and_rows_agree() {
    let rows: BTreeSet<PathBuf> = architectures().filter(|a| !a.family).map(golden).collect();
    assert_eq!(rows.len(), architectures().filter(|a| !a.family).count());
    let folder = rows.first().unwrap().parent().unwrap();
    let files: BTreeSet<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    let odd: Vec<_> = files.symmetric_difference(&rows).collect();
    assert!(odd.is_empty(), "a golden without a row, or a row without a golden: {odd:?}");
}
