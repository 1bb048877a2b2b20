//! Every method and every target compared with pytorch-grad-cam 1.5.7, and with Captum at the pixels, on six networks with weights
//! from a formula; see `tools/make_method_goldens.py`. The maps of all methods come from one run.

mod common;
#[path = "common/formula.rs"]
mod formula;

use std::collections::BTreeSet;
use std::path::Path;

use common::every_gpu;
use gradcam::model::zoo::{Architecture, architectures};
use gradcam::{Batch, Classes, Device, Explainer, Images, Method, Model, Outputs, Sampling, Score, Target};
use safetensors::SafeTensors;

/// Absolute, for a heat map in 0..1.
const TOLERANCE: f64 = 1e-3;
/// Samples of methods that average gradients.
const SAMPLES: usize = 6;
/// Classes of the networks.
const CLASSES: usize = 101;

/// The targets of the goldens.
fn targets() -> [(&'static str, Target); 4] {
    [
        ("probability", Target::default().score(Score::Probability)),
        ("log-probability", Target::default().score(Score::LogProbability)),
        ("negative", Target::default().negative(true)),
        ("against", Target::default().against(&[5, 90])),
    ]
}

fn device() -> Device {
    Device::from(every_gpu().swap_remove(0).1)
}

/// A network of the goldens.
fn network(name: &str, gain: f32) -> Model {
    let is_own = |a: &&Architecture| a.name == name && format!("{:?}", a.library) == "Torchvision";
    Model::seeded_as(architectures().find(is_own).unwrap(), CLASSES, gain).unwrap()
}

/// The greatest difference of a method's maps from the golden's, of which every fifth row and column is stored.
fn error(batch: &Batch, method: Method, truth: &[u16]) -> f64 {
    let heatmaps = batch.explanations.iter().flat_map(|explanation| &explanation.heatmaps);
    let own = heatmaps.filter(|heatmap| heatmap.method == method).map(|h| h.heatmap.as_ref().unwrap());
    let found = own.flat_map(|map| {
        map.values.chunks(map.width).step_by(5).flat_map(|row| row.iter().step_by(5).copied()).collect::<Vec<_>>()
    });
    let found: Vec<f32> = found.collect();
    assert_eq!(found.len(), truth.len());
    let apart = found.iter().zip(truth).map(|(found, truth)| (f64::from(*found) - f64::from(*truth) / 65535.0).abs());
    apart.fold(0.0, |worst, apart| if apart.is_nan() { f64::INFINITY } else { apart.max(worst) })
}

#[test]
fn every_method_equals_its_library() {
    let device = device();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/methods");
    let (mut wrong, mut compared) = (vec![], BTreeSet::new());
    for name in ["vgg11_bn", "resnet18", "densenet121", "mobilenet_v2", "efficientnet_b0", "convnext_tiny"] {
        let bytes = std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap();
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let read = |name: &str| golden.tensor(name).unwrap().data().to_vec();
        let gain: Vec<f32> = bytemuck::pod_collect_to_vec(&read("gain"));
        let mut explainer = Explainer::new(network(name, gain[0]), device.clone());
        for case in golden.names().into_iter().filter_map(|name| name.strip_suffix(" images")) {
            let (layer, size) = case.rsplit_once(' ').unwrap();
            let (h, w) = size.split_once('x').unwrap();
            let shape @ [_, _, h, w] = [2, 3, h.parse().unwrap(), w.parse().unwrap()];
            let default = explainer.model().default_layer().to_owned();
            explainer.set_layers(&[if layer == "pixels" { &default } else { layer }]).unwrap();
            let classes: Vec<i64> = bytemuck::pod_collect_to_vec(&read(&format!("{case} classes")));
            let classes = classes.chunks(2).map(|c| c.iter().map(|c| *c as usize).collect());
            let classes = Classes::PerImage(classes.collect());
            let variants: Vec<i64> = bytemuck::pod_collect_to_vec(&read(&format!("{case} images")));
            let image = 3 * h * w;
            let of_variant = |i: usize| formula::images(shape, variants[i])[i * image..(i + 1) * image].to_vec();
            let values = [of_variant(0), of_variant(1)].concat();
            let mut explain = |methods: &[Method], target: Target| {
                explainer.set_methods(methods);
                explainer.set_target(target);
                explainer.set_sampling(Sampling::default().samples(SAMPLES));
                let images = Images::Tensor { shape, values: &values };
                let batch = explainer.explain(images, &classes, &Outputs::default().heatmap(true)).unwrap();
                // Passes of masked images are submitted one after another.
                let has_parts = methods.contains(&Method::ScoreCam);
                assert_eq!((batch.stats.submissions > 1, batch.stats.readbacks), (has_parts, 1), "{name} {case}");
                batch
            };
            let mut compare = |what: &'static str, batch: &Batch, method: Method| {
                let truth: Vec<u16> = bytemuck::pod_collect_to_vec(&read(&format!("{case}/{what}")));
                let error = error(batch, method, &truth);
                println!("{name} {case} {what}: {error:.1e}");
                if error > TOLERANCE {
                    wrong.push(format!("{name} {case} {what}: {error:.1e}"));
                }
                compared.insert(what);
            };
            let is_of_case = |method: &&Method| golden.tensor(&format!("{case}/{}", method.name())).is_ok();
            let methods: Vec<Method> = Method::ALL.iter().filter(is_of_case).copied().collect();
            let batch = explain(&methods, Target::default());
            methods.iter().for_each(|method| compare(method.name(), &batch, *method));
            for (what, target) in targets().into_iter().filter(|_| layer != "pixels") {
                compare(what, &explain(&[Method::LayerCam], target), Method::LayerCam);
            }
        }
    }
    let all = Method::ALL.iter().map(|method| method.name()).chain(targets().map(|(what, _)| what));
    assert_eq!(all.filter(|what| !compared.contains(what)).collect::<Vec<_>>(), [""; 0]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Requests that make no sense end with one line before anything is computed.
#[test]
fn wrong_requests() {
    let wrong = |model: &str, change: &dyn Fn(Explainer) -> Explainer| {
        let mut explainer = change(Explainer::new(network(model, 1.0), Device::Cpu));
        let images = Images::Tensor { shape: [1, 3, 40, 40], values: &[0.5; 4800] };
        explainer.explain(images, &Classes::Top(1), &Outputs::default().heatmap(true)).unwrap_err().to_string()
    };
    let guided = wrong("convnext_tiny", &|e| e.with_methods(&[Method::GradCam, Method::GuidedBackprop]));
    assert!(
        guided.contains("guided-backprop changes how gradients pass a ReLU, and this network has none"),
        "{guided}"
    );
    let around =
        wrong("squeezenet1_1", &|e| e.with_method(Method::AblationCam).with_layer("features.3.expand1x1").unwrap());
    assert!(around.contains("something goes around this layer"), "{around}");
    let logarithm = Target::default().score(Score::LogProbability);
    let scores = wrong("squeezenet1_1", &|e| e.with_method(Method::ScoreCam).with_target(logarithm.clone()));
    assert!(scores.contains("explain logits or probabilities"), "{scores}");
    let against = wrong("squeezenet1_1", &|e| e.with_target(Target::default().against(&[101])));
    assert!(
        against.contains("there is no class 101 to explain against; the model's classes are 0 to 100"),
        "{against}"
    );
}

/// Raw maps lie where their method looks. There are none where sizes differ.
#[test]
fn sizes_of_raw_maps() {
    let values = vec![0.5; 3 * 40 * 48];
    for (methods, size) in [
        (&[Method::LayerCam, Method::GradCam][..], Some([2, 2])),
        (&[Method::GuidedGradCam], Some([40, 48])),
        (&[Method::GuidedGradCam, Method::Saliency], Some([40, 48])),
        (&[Method::GuidedGradCam, Method::GradCam], None),
    ] {
        let mut explainer = Explainer::new(network("squeezenet1_1", 1.0), Device::Cpu).with_methods(methods);
        let images = Images::Tensor { shape: [1, 3, 40, 48], values: &values };
        let batch = explainer.explain(images, &Classes::Top(2), &Outputs::default().raw(true)).unwrap();
        let maps = &batch.explanations[0].heatmaps;
        assert_eq!(maps.len(), 2 * methods.len());
        for map in maps {
            assert_eq!(map.raw.as_ref().map(|raw| [raw.height, raw.width]), size, "{methods:?}");
            assert!(map.raw.as_ref().is_none_or(|raw| raw.values.len() == raw.height * raw.width));
        }
    }
}
