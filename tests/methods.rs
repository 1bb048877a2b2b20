//! Every method and every target compared with pytorch-grad-cam 1.5.7, and with Captum at the pixels, on six networks with weights
//! from a formula; see `tools/make_method_goldens.py`. The maps of all methods come from one run. Then the steps of other
//! libraries, compared with these.

mod common;
#[path = "common/formula.rs"]
mod formula;

use std::collections::BTreeSet;
use std::path::Path;

use common::gpus;
use gradcam::kernels::Profile;
use gradcam::model::seeded;
use gradcam::model::zoo::{Architecture, architectures};
use gradcam::{
    Batch, Classes, Compat, Device, Explainer, Images, Method, Model, Outputs, Sampling, Score, Smoothing, Target,
};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// Absolute, for a heat map in 0..1.
const TOLERANCE: f64 = 1e-3;
/// Samples of methods that average gradients, and random masks.
const SAMPLES: usize = 6;
/// The image to which others are similar.
const OTHER: i64 = 99;
/// Channels of Faster Score-CAM, and the side of a square.
const CHANNELS: usize = 50;
const PATCH: usize = 16;
/// Classes of the networks.
const CLASSES: usize = 101;

/// What is changed of a usual explanation.
type Change = Box<dyn Fn(Explainer) -> Explainer>;

/// What the goldens hold besides methods: a method with something changed.
fn changes() -> Vec<(String, Method, Change)> {
    let targets = [
        ("probability", Target::default().score(Score::Probability)),
        ("log-probability", Target::default().score(Score::LogProbability)),
        ("negative", Target::default().negative(true)),
        ("against", Target::default().against(&[5, 90])),
        ("with", Target::default().with(&[5, 90])),
    ];
    let mut all: Vec<(String, Method, Change)> = vec![];
    for (name, target) in targets {
        all.push((name.into(), Method::LayerCam, Box::new(move |e| e.with_target(target.clone()))));
    }
    let [augmented, eigen] = [Smoothing::default().augmented(true), Smoothing::default().eigen(true)];
    for (name, smoothing) in [("aug-smooth", augmented), ("eigen-smooth", eigen)] {
        all.push((name.into(), Method::GradCam, Box::new(move |e| e.with_smoothing(smoothing))));
    }
    let few = Sampling::default().channels(CHANNELS);
    all.push(("strongest channels".into(), Method::ScoreCam, Box::new(move |e| e.with_sampling(few))));
    use Method::{GradCam, GradCamPlusPlus, HiResCam, LayerCam, XGradCam};
    for (name, compat, methods) in [
        ("torchcam", Compat::TorchCam, &[GradCam, GradCamPlusPlus, XGradCam, LayerCam][..]),
        ("captum", Compat::Captum, &[GradCam, HiResCam]),
        ("tf-keras-vis", Compat::TfKerasVis, &[GradCam, GradCamPlusPlus, LayerCam]),
    ] {
        for method in methods {
            all.push((format!("{name} {}", method.name()), *method, Box::new(move |e| e.with_compat(compat))));
        }
    }
    all
}

/// A device with the variant that suits software drivers, because thousands of passes take minutes in others. VGG-11 needs another
/// one: last digits decide at kinks of its ReLUs, as noise of 3e-6 in the images does, and its goldens are for this one's sums.
fn device(network: &str) -> Device {
    let profile = if network == "vgg11_bn" { Profile::BUFFERS } else { Profile::TEXTURES_SUBGROUP };
    Device::from(gpus([profile]).swap_remove(0).1)
}

/// A network of the goldens.
fn network(name: &str, gain: f32) -> Model {
    let is_own = |a: &&Architecture| a.name == name && format!("{:?}", a.library) == "Torchvision";
    Model::seeded_as(architectures().find(is_own).unwrap(), CLASSES, gain).unwrap()
}

/// The greatest difference of a method's maps from the golden's, of which every fifth row and column is stored, as a part of
/// their greatest magnitude.
fn error(batch: &Batch, method: Method, truth: &TensorView) -> f64 {
    let (bytes, whole) = (truth.data().to_vec(), 65535.0);
    let truth: Vec<f64> = match truth.dtype() {
        Dtype::F32 => bytemuck::pod_collect_to_vec::<u8, f32>(&bytes).into_iter().map(f64::from).collect(),
        _ => bytemuck::pod_collect_to_vec::<u8, u16>(&bytes).into_iter().map(|v| f64::from(v) / whole).collect(),
    };
    // Of nothing but zeros no part can be told.
    let greatest = truth.iter().fold(0.0f64, |greatest, v| v.abs().max(greatest));
    let greatest = if greatest > 0.0 { greatest } else { 1.0 };
    let heatmaps = batch.explanations.iter().flat_map(|explanation| &explanation.heatmaps);
    let own = heatmaps.filter(|heatmap| heatmap.method == method).map(|h| h.heatmap.as_ref().unwrap());
    let found = own.flat_map(|map| {
        map.values.chunks(map.width).step_by(5).flat_map(|row| row.iter().step_by(5).copied()).collect::<Vec<_>>()
    });
    let found: Vec<f32> = found.collect();
    assert_eq!(found.len(), truth.len());
    let apart = found.iter().zip(truth).map(|(found, truth)| (f64::from(*found) - truth).abs() / greatest);
    apart.fold(0.0, |worst, apart| if apart.is_nan() { f64::INFINITY } else { apart.max(worst) })
}

#[test]
fn every_method_equals_its_library() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/methods");
    let (mut wrong, mut compared) = (vec![], BTreeSet::new());
    for name in ["vgg11_bn", "resnet18", "densenet121", "mobilenet_v2", "efficientnet_b0", "convnext_tiny"] {
        let bytes = std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap();
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let read = |name: &str| golden.tensor(name).unwrap().data().to_vec();
        let gain: Vec<f32> = bytemuck::pod_collect_to_vec(&read("gain"));
        let mut explainer = Some(Explainer::new(network(name, gain[0]), device(name)));
        for case in golden.names().into_iter().filter_map(|name| name.strip_suffix(" images")) {
            let (layer, size) = case.rsplit_once(' ').unwrap();
            let (h, w) = size.split_once('x').unwrap();
            let shape @ [_, _, h, w] = [2, 3, h.parse().unwrap(), w.parse().unwrap()];
            let classes: Vec<i64> = bytemuck::pod_collect_to_vec(&read(&format!("{case} classes")));
            let classes = classes.chunks(2).map(|c| c.iter().map(|c| *c as usize).collect());
            let classes = Classes::PerImage(classes.collect());
            let variants: Vec<i64> = bytemuck::pod_collect_to_vec(&read(&format!("{case} images")));
            let image = 3 * h * w;
            let of_variant = |i: usize| formula::images(shape, variants[i])[i * image..(i + 1) * image].to_vec();
            let values = [of_variant(0), of_variant(1)].concat();
            let layers: Vec<&str> = layer.split('+').filter(|layer| *layer != "pixels").collect();
            let mut explain = |methods: &[Method], change: &dyn Fn(Explainer) -> Explainer| {
                // One after the other uses the weights on the device, all else as it is by default.
                let usual = explainer.take().unwrap().with_methods(methods).with_target(Target::default());
                let usual =
                    usual.with_similar_to(None).with_compat(Compat::default()).with_smoothing(Smoothing::default());
                let usual = usual.with_sampling(Sampling::default().samples(SAMPLES).patch(PATCH));
                let default = [usual.model().default_layer().to_owned()];
                let default = default.each_ref().map(String::as_str);
                let usual = usual.with_layers(if layers.is_empty() { &default } else { &layers }).unwrap();
                let explainer = explainer.insert(change(usual));
                let images = Images::Tensor { shape, values: &values };
                let batch = explainer.explain(images, &classes, &Outputs::default().heatmap(true)).unwrap();
                // Passes of masked images are submitted one after another.
                let masked = [Method::ScoreCam, Method::Occlusion];
                let has_parts = methods.iter().any(|method| masked.contains(method));
                assert_eq!((batch.stats.submissions > 1, batch.stats.readbacks), (has_parts, 1), "{name} {case}");
                batch
            };
            let mut compare = |what: &str, batch: &Batch, method: Method| {
                let error = error(batch, method, &golden.tensor(&format!("{case}/{what}")).unwrap());
                println!("{name} {case} {what}: {error:.1e}");
                if error > TOLERANCE {
                    wrong.push(format!("{name} {case} {what}: {error:.1e}"));
                }
                compared.insert(what.to_owned());
            };
            let is_known = |what: &str| golden.tensor(&format!("{case}/{what}")).is_ok();
            let methods: Vec<Method> = Method::ALL.iter().filter(|method| is_known(method.name())).copied().collect();
            let batch = explain(&methods, &|explainer| explainer);
            methods.iter().for_each(|method| compare(method.name(), &batch, *method));
            if is_known("similar") {
                let to_other = |mut explainer: Explainer| {
                    let other = formula::images([1, 3, h, w], OTHER);
                    let images = Images::Tensor { shape: [1, 3, h, w], values: &other };
                    let batch = explainer.explain(images, &Classes::Top(1), &Outputs::default().embedding(true));
                    explainer.with_similar_to(batch.unwrap().explanations[0].embedding.as_deref())
                };
                compare("similar", &explain(&[Method::GradCam], &to_other), Method::GradCam);
            }
            for (what, method, change) in changes().into_iter().filter(|(what, ..)| is_known(what)) {
                compare(&what, &explain(&[method], &*change), method);
            }
        }
    }
    let all = Method::ALL
        .iter()
        .map(|method| method.name().to_owned())
        .chain(["similar".to_owned()])
        .chain(changes().into_iter().map(|(what, ..)| what));
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
    assert!(scores.contains("scorecam compares scores"), "{scores}");
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

/// ReST is the sum of two numbers, so its gradients, and with them Grad-CAM's raw maps, are the sums of theirs.
#[test]
fn rest_is_a_sum() {
    let values = seeded::tensor("image", &[1, 3, 40, 48], 1.0);
    for classes in [1, 7] {
        let raw = |score| {
            let model = Model::seeded("squeezenet1_1", classes, 1.0).unwrap();
            let mut explainer =
                Explainer::new(model, Device::gpu().unwrap()).with_target(Target::default().score(score));
            let images = Images::Tensor { shape: [1, 3, 40, 48], values: &values };
            let batch = explainer.explain(images, &Classes::Chosen(vec![0]), &Outputs::default().raw(true)).unwrap();
            batch.explanations[0].heatmaps[0].raw.clone().unwrap().values
        };
        let [rest, logit, logarithm] = [Score::Rest, Score::Logit, Score::LogProbability].map(raw);
        let greatest = rest.iter().fold(0.0f32, |most, v| most.max(v.abs()));
        assert!(greatest > 0.0);
        for ((rest, logit), logarithm) in rest.iter().zip(&logit).zip(&logarithm) {
            assert!((rest - logit - logarithm).abs() < 1e-5 * greatest, "{rest} {logit} {logarithm}");
        }
    }
}
