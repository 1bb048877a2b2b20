//! Checkpoints as people have them, on a photo: other names, other classifiers, other preprocessing, with a config and
//! without. Expectations are PyTorch's on a photo that the library's own transform prepared, see
//! `tools/make_field_goldens.py`.

use std::collections::HashMap;
use std::path::Path;

use gradcam::gpu::GpuOptions;
use gradcam::model::{CropMode, seeded};
use gradcam::{Classes, Device, Explainer, Gpu, Images, Model, ModelOptions, Outputs, Photo};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::Value;

/// Relative to the largest logit, absolute for probabilities, and absolute for a heat map in 0..1.
const LOGIT_TOLERANCE: f32 = 1e-4;
const PROBABILITY_TOLERANCE: f32 = 1e-4;
const MAP_TOLERANCE: f32 = 1e-3;

/// Writes the checkpoint that a golden describes, with the files beside it.
fn write(folder: &Path, metadata: &HashMap<String, String>) {
    let tensors: Vec<(String, Vec<usize>)> = serde_json::from_str(&metadata["tensors"]).unwrap();
    let extra: Vec<String> = serde_json::from_str(&metadata["extra"]).unwrap();
    let extra = extra.into_iter().map(|name| (name, vec![3]));
    let values = |(name, shape): (String, Vec<usize>)| {
        let values = seeded::tensor(&name, &shape, 1.0);
        (name, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
    };
    let tensors: Vec<_> = tensors.into_iter().chain(extra).map(values).collect();
    let views = tensors.iter().map(|(n, s, b)| (n, TensorView::new(Dtype::F32, s.clone(), b).unwrap()));
    std::fs::write(folder.join("model.safetensors"), serialize(views, None).unwrap()).unwrap();
    for (name, file) in [("config", "config.json"), ("processor", "preprocessor_config.json")] {
        if !metadata[name].is_empty() {
            std::fs::write(folder.join(file), &metadata[name]).unwrap();
        }
    }
}

/// A TIFF file of five bands: the photo's colours and the negatives of two.
fn bands_of(photo: &Photo) -> Photo {
    use tiff::tags::{PhotometricInterpretation, SampleFormat};
    struct FiveBands;
    impl tiff::encoder::colortype::ColorType for FiveBands {
        type Inner = u8;
        const TIFF_VALUE: PhotometricInterpretation = PhotometricInterpretation::BlackIsZero;
        const BITS_PER_SAMPLE: &'static [u16] = &[8; 5];
        const SAMPLE_FORMAT: &'static [SampleFormat] = &[SampleFormat::Uint; 5];
        fn horizontal_predict(_row: &[u8], _result: &mut Vec<u8>) {}
    }
    let numbers: Vec<u8> =
        photo.rgba().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2], 255 - p[0], 255 - p[1]]).collect();
    let mut bytes = std::io::Cursor::new(vec![]);
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
    encoder.write_image::<FiveBands>(photo.width(), photo.height(), &numbers).unwrap();
    Photo::decode("bands.tif", &bytes.into_inner()).unwrap()
}

fn options(text: &str) -> ModelOptions {
    let named: HashMap<String, Value> = serde_json::from_str(text).unwrap();
    named.into_iter().fold(ModelOptions::default(), |options, (name, value)| match &*name {
        "arch" => options.architecture(value.as_str().unwrap()),
        "crop_pct" => options.crop_pct(value.as_f64().unwrap()),
        "head_activation" => options.head_activation(serde_json::from_value(value).unwrap()),
        "whole" => options.crop_mode(CropMode::Whole),
        other => panic!("{other}"),
    })
}

#[test]
fn checkpoints_as_people_have_them() {
    let device = Device::from(pollster::block_on(Gpu::open(&GpuOptions::default())).expect("an adapter: make setup"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let photo = Photo::open(root.join("examples/chelsea.png")).unwrap();
    let bands = bands_of(&photo);
    assert!(bands.has_channels(5) && !bands.has_channels(4) && bands.remark().unwrap().contains("5 bands"));
    let mut goldens: Vec<_> =
        std::fs::read_dir(root.join("tests/goldens/field")).unwrap().map(|entry| entry.unwrap().path()).collect();
    goldens.sort();
    assert!(goldens.len() > 40);
    let mut wrong = vec![];
    for golden in goldens {
        let bytes = std::fs::read(&golden).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let metadata = header.metadata().clone().unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let read = |name: &str| file.tensor(name).unwrap().data().to_vec();
        let logits: Vec<f32> = bytemuck::pod_collect_to_vec(&read("logits"));
        let probability: Vec<f32> = bytemuck::pod_collect_to_vec(&read("probability"));
        let size: Vec<i64> = bytemuck::pod_collect_to_vec(&read("size"));
        let map: Vec<u16> = bytemuck::pod_collect_to_vec(&read("heatmap"));

        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &metadata);
        let name = golden.file_stem().unwrap().to_str().unwrap();
        let model = match Model::open(folder.path().to_str().unwrap(), &options(&metadata["options"])) {
            Ok(model) => model,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let mut explainer = Explainer::new(model, device.clone()).with_layer(&metadata["layer"]).unwrap();
        let outputs = Outputs::default().logits(true).heatmap(true);
        let photo = if metadata.get("photo").is_some_and(|kind| kind == "bands") { &bands } else { &photo };
        let images = Images::Photos(std::slice::from_ref(photo));
        let batch = explainer.explain(images, &Classes::Top(1), &outputs).unwrap();
        let explanation = &batch.explanations[0];
        let heatmap = &explanation.heatmaps[0];
        let found = heatmap.heatmap.as_ref().unwrap();
        assert_eq!([found.height as i64, found.width as i64], size[..], "{name}: the input's size");
        let scale = logits.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let of_logits = explanation.logits.as_ref().unwrap().iter().zip(&logits);
        let logit_error = of_logits.fold(0.0_f32, |worst, (found, truth)| worst.max((found - truth).abs() / scale));
        let rows = found.values.chunks(found.width).step_by(5).flat_map(|row| row.iter().step_by(5));
        let map_error = rows
            .zip(&map)
            .fold(0.0_f32, |worst, (found, truth)| worst.max((found - f32::from(*truth) / 65535.0).abs()));
        let probability_error = (heatmap.prediction.probability - probability[0]).abs();
        let line =
            format!("{name}: logits {logit_error:.1e}, probability {probability_error:.1e}, map {map_error:.1e}");
        println!("{line}");
        // Comparisons of NaN are false.
        let right =
            logit_error <= LOGIT_TOLERANCE && probability_error <= PROBABILITY_TOLERANCE && map_error <= MAP_TOLERANCE;
        if !right {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
