//! Every method compared with pytorch-grad-cam 1.5.7, and with Captum at the pixels, on six networks with weights from a formula;
//! see `tools/make_method_goldens.py`. The maps of all methods come from one run.

mod common;
#[path = "common/formula.rs"]
mod formula;

use std::collections::BTreeSet;
use std::path::Path;

use common::every_gpu;
use gradcam::model::zoo::architectures;
use gradcam::{Classes, Device, Explainer, Images, Method, Model, Outputs};
use safetensors::SafeTensors;

/// Absolute, for a heat map in 0..1.
const TOLERANCE: f64 = 1e-3;
/// Classes of the networks.
const CLASSES: usize = 101;

#[test]
fn every_method_equals_its_library() {
    let (_, gpu) = every_gpu().swap_remove(0);
    let device = Device::from(gpu);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/methods");
    let (mut wrong, mut compared) = (vec![], BTreeSet::new());
    for name in ["vgg11_bn", "resnet18", "densenet121", "mobilenet_v2", "efficientnet_b0", "convnext_tiny"] {
        let bytes = std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap();
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let read = |name: &str| golden.tensor(name).unwrap().data().to_vec();
        let gain: Vec<f32> = bytemuck::pod_collect_to_vec(&read("gain"));
        let is_own =
            |a: &&gradcam::model::zoo::Architecture| a.name == name && format!("{:?}", a.library) == "Torchvision";
        let architecture = architectures().find(is_own).unwrap();
        let mut explainer = Explainer::new(Model::seeded_as(architecture, CLASSES, gain[0]).unwrap(), device.clone());
        for case in golden.names().into_iter().filter_map(|name| name.strip_suffix(" images")) {
            let (layer, size) = case.rsplit_once(' ').unwrap();
            let (h, w) = size.split_once('x').unwrap();
            let shape @ [_, _, h, w] = [2, 3, h.parse().unwrap(), w.parse().unwrap()];
            let of_case = |method: &&Method| golden.tensor(&format!("{case}/{}", method.name())).is_ok();
            let methods: Vec<Method> = Method::ALL.iter().filter(of_case).copied().collect();
            explainer.set_methods(&methods);
            if layer != "pixels" {
                explainer.set_layers(&[layer]).unwrap();
            }
            let classes: Vec<i64> = bytemuck::pod_collect_to_vec(&read(&format!("{case} classes")));
            let classes =
                Classes::PerImage(classes.chunks(2).map(|c| c.iter().map(|c| *c as usize).collect()).collect());
            let variants: Vec<i64> = bytemuck::pod_collect_to_vec(&read(&format!("{case} images")));
            let of_variant =
                |i: usize| formula::images(shape, variants[i])[i * 3 * h * w..(i + 1) * 3 * h * w].to_vec();
            let values = [of_variant(0), of_variant(1)].concat();
            let images = Images::Tensor { shape, values: &values };
            let batch = explainer.explain(images, &classes, &Outputs::default().heatmap(true)).unwrap();
            assert_eq!((batch.stats.submissions, batch.stats.readbacks), (1, 1), "{name} {case}");
            let sampled = h.div_ceil(5) * w.div_ceil(5);
            for method in &methods {
                let truth: Vec<u16> = bytemuck::pod_collect_to_vec(&read(&format!("{case}/{}", method.name())));
                assert_eq!(truth.len(), 4 * sampled, "{name} {case}");
                let heatmaps = batch.explanations.iter().flat_map(|explanation| &explanation.heatmaps);
                let own = heatmaps.filter(|heatmap| heatmap.method == *method).map(|h| h.heatmap.as_ref().unwrap());
                let mut error = 0.0_f64;
                for (map, truth) in own.zip(truth.chunks(sampled)) {
                    let rows = map.values.chunks(w).step_by(5).flat_map(|row| row.iter().step_by(5));
                    for (found, truth) in rows.zip(truth) {
                        let apart = (f64::from(*found) - f64::from(*truth) / 65535.0).abs();
                        error = if apart.is_nan() { f64::INFINITY } else { error.max(apart) };
                    }
                }
                let line = format!("{name} {case} {}: {error:.1e}", method.name());
                println!("{line}");
                if error > TOLERANCE {
                    wrong.push(line);
                }
                compared.insert(method.name());
            }
        }
    }
    assert!(Method::ALL.iter().all(|method| compared.contains(method.name())), "{compared:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
