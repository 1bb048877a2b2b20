//! The bundled network compared with pytorch-grad-cam 1.5.7 on PyTorch, on every device; see `tools/make_goldens.py`.
//!
//! Takes several minutes on two cores: the whole network runs for four choices of layers in every profile, with and
//! without run-time checks, on OpenGL, and by the CPU reference. With a software driver all of this runs on the CPU.

mod common;

use common::every_gpu;
use gradcam::picture::Crop;
use gradcam::{Backend, Classes, Device, Explainer, Gpu, GpuOptions, Images, Model, Outputs, Photo};
use safetensors::SafeTensors;

/// Relative to the largest logit.
const LOGIT_TOLERANCE: f64 = 1e-4;
/// Absolute, for a heat map in 0..1.
const MAP_TOLERANCE: f64 = 1e-3;
const PHOTOS: [&str; 3] = ["chelsea.png", "coffee.png", "rocket.jpg"];
/// The last entry fuses two layers.
const LAYERS: [&str; 4] = ["bn2", "blocks.4.2", "blocks.2", "blocks.2+bn2"];

fn golden(name: &str) -> String {
    format!("{}/tests/goldens/lite0/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn stem(photo: &str) -> &str {
    photo.split('.').next().unwrap()
}

/// PyTorch's crops as one normalised tensor.
fn input() -> Vec<f32> {
    let mut values = vec![];
    for photo in PHOTOS {
        let crop = Photo::open(golden(&format!("{}.png", stem(photo)))).unwrap();
        assert_eq!((crop.width(), crop.height()), (224, 224));
        for c in 0..3 {
            values.extend(crop.rgba().chunks(4).map(|p| (f32::from(p[c]) - 127.0) / 128.0));
        }
    }
    values
}

fn scores() -> (Vec<f32>, Vec<Vec<usize>>) {
    let bytes = std::fs::read(golden("scores.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let classes: Vec<i64> = bytemuck::pod_collect_to_vec(file.tensor("classes").unwrap().data());
    let classes = classes.chunks(3).map(|c| c.iter().map(|&c| c as usize).collect()).collect();
    (bytemuck::pod_collect_to_vec(file.tensor("logits").unwrap().data()), classes)
}

fn check(name: &str, device: Device) {
    let (logits, classes) = scores();
    let input = input();
    let outputs = Outputs::default().predictions(1).logits(true).heatmap(true);
    let mut explainer = Explainer::new(Model::bundled().unwrap(), device);
    let mut worst = 0.0_f64;
    for layer in LAYERS {
        explainer = explainer.with_layers(&layer.split('+').collect::<Vec<_>>()).unwrap();
        let images = Images::Tensor { shape: [3, 3, 224, 224], values: &input };
        let batch = explainer.explain(images, &Classes::PerImage(classes.clone()), &outputs).unwrap();
        for (i, explanation) in batch.explanations.iter().enumerate() {
            let truth = &logits[i * 1000..(i + 1) * 1000];
            let scale = truth.iter().fold(0.0_f64, |m, v| m.max(f64::from(v.abs())));
            for (found, truth) in explanation.logits.as_ref().unwrap().iter().zip(truth) {
                let error = f64::from((found - truth).abs()) / scale;
                assert!(error <= LOGIT_TOLERANCE, "{name}, {}: a logit is {error:e} off", PHOTOS[i]);
            }
            assert_eq!(explanation.predictions[0].class, classes[i][0]);
            let maps =
                image::open(golden(&format!("{}-{layer}.png", stem(PHOTOS[i])))).unwrap().into_luma16().into_raw();
            let found: Vec<f32> = explanation.heatmaps.iter().flat_map(|h| h.heatmap.clone().unwrap().values).collect();
            assert_eq!(found.len(), maps.len());
            let error = found
                .iter()
                .zip(&maps)
                .fold(0.0_f64, |m, (f, t)| m.max((f64::from(*f) - f64::from(*t) / 65535.0).abs()));
            assert!(error <= MAP_TOLERANCE, "{name}, {} at {layer}: a heat map is {error:e} off", PHOTOS[i]);
            worst = worst.max(error);
        }
    }
    println!("{name}: heat maps within {worst:.1e} of pytorch-grad-cam's");
}

#[test]
fn gpu_equals_pytorch() {
    for (name, gpu) in every_gpu() {
        check(&name, Device::from(gpu));
    }
}

#[test]
fn cpu_equals_pytorch() {
    check("cpu", Device::Cpu);
}

/// OpenGL on the software driver, as on a machine without Vulkan.
#[test]
fn gl_equals_pytorch() {
    let options = GpuOptions::default().backend(Backend::Gl);
    let gpu = pollster::block_on(Gpu::open(&options)).expect("an OpenGL driver: run `make setup`");
    check("gl", Device::from(gpu));
}

/// The crop equals Pillow's to the byte.
#[test]
fn crops_equal_pillow() {
    let model = Model::bundled().unwrap();
    for name in PHOTOS {
        let photo = Photo::open(format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let crop = Crop::of(&model.preprocess, photo.width(), photo.height()).resample(photo.rgba(), &model.preprocess);
        let truth = Photo::open(golden(&format!("{}.png", stem(name)))).unwrap();
        let worst = crop.iter().zip(truth.rgba()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        // Even JPEG decoders differ by a step.
        let tolerance = if name.ends_with("jpg") { 2 } else { 0 };
        assert!(worst <= tolerance, "{name}: a byte is {worst} off");
    }
}
