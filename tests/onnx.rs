//! ONNX files: networks as PyTorch exports them against pytorch-grad-cam, single operators against onnxruntime, and files that
//! are no such files.

mod common;
#[path = "common/formula.rs"]
mod formula;
#[path = "common/onnx_file.rs"]
mod onnx_file;
#[path = "common/protobuf.rs"]
mod protobuf;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use common::{every_gpu, run_gpu};
use gradcam::gpu::GpuOptions;
use gradcam::graph::{Kind, Op, Rule, gradients};
use gradcam::model::{Network, seeded};
use gradcam::reference::{Value::Numbers, evaluate};
use gradcam::{Classes, Device, Explainer, Gpu, Images, Method, Model, ModelOptions, Outputs};
use onnx_file::{Part, attribute, file, message, number, operator, port, tensor};
use protobuf::{changed, field};
use safetensors::SafeTensors;
use serde_json::Value;

/// Relative to the largest logit, and absolute for a heat map in 0..1.
const LOGIT_TOLERANCE: f32 = 1e-4;
const MAP_TOLERANCE: f32 = 1e-3;

fn device() -> Device {
    Device::from(pollster::block_on(Gpu::open(&GpuOptions::default())).expect("an adapter: make setup"))
}

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens")
}

/// A golden's file with the tensors that it leaves out.
fn filled(file: &[u8], fill: &serde_json::Map<String, Value>) -> Vec<u8> {
    let numbers = |name: &str| -> Option<Vec<f32>> {
        let [Value::String(source), Value::Array(shape), factor, Value::Bool(turned)] =
            &fill.get(name)?.as_array()?[..]
        else {
            panic!("{name}")
        };
        let shape: Vec<usize> = shape.iter().map(|extent| extent.as_u64().unwrap() as usize).collect();
        let factor = factor.as_f64().unwrap() as f32;
        let values: Vec<f32> = seeded::tensor(source, &shape, 1.0).iter().map(|v| v * factor).collect();
        Some(match (turned, &shape[..]) {
            (true, [rows, columns]) => (0..rows * columns).map(|at| values[at % rows * columns + at / rows]).collect(),
            _ => values,
        })
    };
    let tensor = |tensor: &[u8]| {
        // A tensor's name is its eighth field; its numbers are the fourth, seventh or ninth.
        let fields = std::cell::RefCell::new(HashMap::new());
        changed(tensor, &|number, content| {
            fields.borrow_mut().insert(number, content.to_vec());
            None
        });
        let fields = fields.into_inner();
        if [4, 7, 9].iter().any(|number| fields.contains_key(number)) {
            return None;
        }
        let name = String::from_utf8(fields[&8].clone()).unwrap();
        let bytes: Vec<u8> = numbers(&name)?.iter().flat_map(|v| v.to_le_bytes()).collect();
        Some([tensor, &field(9, &bytes)].concat())
    };
    let graph = |graph: &[u8]| changed(graph, &|number, content| (number == 5).then(|| tensor(content)).flatten());
    changed(file, &|number, content| (number == 7).then(|| graph(content)))
}

/// What a golden says of itself, and its file.
fn whole(golden: &[u8]) -> (HashMap<String, String>, Vec<u8>) {
    let (_, header) = SafeTensors::read_metadata(golden).unwrap();
    let about: HashMap<String, String> = header.metadata().clone().unwrap();
    let packed = SafeTensors::deserialize(golden).unwrap();
    let file = miniz_oxide::inflate::decompress_to_vec_zlib(packed.tensor("model").unwrap().data()).unwrap();
    let file = filled(&file, &serde_json::from_str(&about["fill"]).unwrap());
    (about, file)
}

/// Each network as PyTorch exports it, at its default layer and at one in the middle.
#[test]
fn exported_networks() {
    let device = device();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(goldens().join("onnx")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 80, "{}", files.len());
    let mut wrong = vec![];
    for path in files {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let bytes = std::fs::read(&path).unwrap();
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let (about, file) = whole(&bytes);
        let size: usize = about["size"].parse().unwrap();
        let model = match Model::parse(&name, &file, &ModelOptions::default().size([size; 2])) {
            Ok(model) => model,
            Err(error) => {
                wrong.push(error.to_string());
                continue;
            }
        };
        let layers: Vec<String> = serde_json::from_str(&about["layers"]).unwrap();
        if model.default_layer() != layers[0] {
            wrong.push(format!("{name}: the default layer is {}, not {}", model.default_layer(), layers[0]));
        }
        let logits: Vec<f32> = bytemuck::pod_collect_to_vec(golden.tensor("logits").unwrap().data());
        let class: Vec<i64> = bytemuck::pod_collect_to_vec(golden.tensor("class").unwrap().data());
        let images = formula::images([1, 3, size, size], 0);
        let mut explainer = Explainer::new(model, device.clone());
        for (at, layer) in layers.iter().enumerate() {
            let map: Vec<u16> = bytemuck::pod_collect_to_vec(golden.tensor(&format!("map{at}")).unwrap().data());
            if let Err(error) = explainer.set_layers(&[layer]) {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
            let outputs = Outputs::default().logits(true).heatmap(true);
            let images = Images::Tensor { shape: [1, 3, size, size], values: &images };
            let batch = match explainer.explain(images, &Classes::Chosen(vec![class[0] as usize]), &outputs) {
                Ok(batch) => batch,
                Err(error) => {
                    wrong.push(format!("{name} at {layer}: {error}"));
                    continue;
                }
            };
            let explanation = &batch.explanations[0];
            let scale = logits.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
            let of_logits = explanation.logits.as_ref().unwrap().iter().zip(&logits);
            let logit_error = of_logits.fold(0.0_f32, |worst, (found, truth)| worst.max((found - truth).abs() / scale));
            let found = explanation.heatmaps[0].heatmap.as_ref().unwrap();
            let rows = found.values.chunks(size).step_by(5).flat_map(|row| row.iter().step_by(5));
            let map_error = rows
                .zip(&map)
                .fold(0.0_f32, |worst, (found, truth)| worst.max((found - f32::from(*truth) / 65535.0).abs()));
            let line = format!("{name} at {layer}: logits {logit_error:.1e}, map {map_error:.1e}");
            println!("{line}");
            // Comparisons of NaN are false.
            if !(map.len() == size.div_ceil(5).pow(2) && logit_error <= LOGIT_TOLERANCE && map_error <= MAP_TOLERANCE) {
                wrong.push(line);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same weights in an ONNX file and under their library's names give the same map.
#[test]
fn exported_and_listed_networks_agree() {
    let device = device();
    for (golden, name) in
        [("squeezenet1_1", "squeezenet1_1"), ("resnet18", "resnet18"), ("convnext_tiny", "convnext_tiny")]
    {
        let bytes = std::fs::read(goldens().join(format!("onnx/{golden}.safetensors"))).unwrap();
        let (about, file) = whole(&bytes);
        let class = SafeTensors::deserialize(&bytes).unwrap().tensor("class").unwrap().data()[..8].try_into().unwrap();
        let classes = Classes::Chosen(vec![i64::from_le_bytes(class) as usize]);
        let size: usize = about["size"].parse().unwrap();
        let exported = Model::parse(golden, &file, &ModelOptions::default().size([size; 2])).unwrap();
        let mut tensors = exported.tensors();
        // The exporter folded norms into the convolutions before them. One that changes nothing stands in their place.
        let mut norms = vec![];
        if name == "resnet18" {
            let of = |name: &str| name.replace("conv", "bn").replace("downsample.0", "downsample.1");
            for (bias, shape, values) in
                tensors.extract_if(.., |(name, ..)| name != "fc.bias" && name.ends_with(".bias"))
            {
                let part = |part: &str, value: f32| {
                    (of(&bias).replace("bias", part), shape.clone(), vec![value; values.len()].into())
                };
                norms.extend([part("weight", 1.0), part("running_mean", 0.0), part("running_var", 1.0 - 1e-5)]);
                norms.push((of(&bias), shape.clone(), values));
            }
        }
        tensors.extend(norms);
        let options = ModelOptions::default().size([size; 2]).architecture(name);
        let listed = Model::from_tensors(name, tensors, &options).unwrap();
        let images = formula::images([1, 3, size, size], 0);
        let mut maps = [exported, listed].map(|model| {
            let images = Images::Tensor { shape: [1, 3, size, size], values: &images };
            let batch = Explainer::new(model, device.clone())
                .explain(images, &classes, &Outputs::default().logits(true).heatmap(true))
                .unwrap();
            let explanation = batch.explanations.into_iter().next().unwrap();
            (explanation.logits.unwrap(), explanation.heatmaps[0].heatmap.clone().unwrap().values)
        });
        let [(logits, map), (listed_logits, listed_map)] = &mut maps;
        let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
        let scale = logits.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let (of_logits, of_maps) = (apart(logits, listed_logits) / scale, apart(map, listed_map));
        println!("{name}: logits {of_logits:.1e}, map {of_maps:.1e}");
        assert!(map.iter().any(|v| *v > 0.9), "{name}: an empty map");
        assert!(of_logits <= 1e-5 && of_maps <= 1e-5, "{name}: logits {of_logits:.1e}, map {of_maps:.1e}");
    }
}

/// Each operator in its versions, on the GPU.
#[test]
fn operators() {
    let bytes = std::fs::read(goldens().join("onnx_ops.safetensors")).unwrap();
    let golden = SafeTensors::deserialize(&bytes).unwrap();
    let (_, gpu) = every_gpu().swap_remove(0);
    let mut wrong = vec![];
    let mut count = 0;
    for (name, scores) in golden.iter().filter_map(|(name, tensor)| Some((name.split_once("/scores of ")?, tensor))) {
        let (name, shape) = name;
        let shape: [usize; 4] = serde_json::from_str(shape).unwrap();
        let file = golden.tensor(&format!("{name}/model")).unwrap();
        let x: Vec<f32> = seeded::tensor("x", &shape, 1.0).iter().map(|v| v * 10.0).collect();
        let y: Vec<f32> = bytemuck::pod_collect_to_vec(scores.data());
        count += 1;
        let network = Model::parse(name, file.data(), &ModelOptions::default())
            .and_then(|model| model.network(Kind::Plain, shape));
        match network {
            Err(error) => wrong.push(error.to_string()),
            Ok(Network { mut graph, input, logits, .. }) => {
                let output = graph.push(Op::Unpack, &[logits]).unwrap();
                let found = &run_gpu(&gpu, &graph, &[(input, x)], &[output]).0[0];
                let scale = y.iter().fold(1e-3_f32, |m, v| m.max(v.abs()));
                let error = found.iter().zip(&y).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs() / scale));
                let right = found.len() == y.len() && error <= 1e-5; // false for NaN
                if !right {
                    wrong.push(format!("{name}: {error:.1e}, {} numbers of {}", found.len(), y.len()));
                }
            }
        }
    }
    assert!(count > 190, "{count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A convolution, a global pool, and scores.
fn small(more: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let weight: Vec<f32> = (0..2 * 3 * 9).map(|i| (i as f32 * 0.7).sin()).collect();
    let parts = [
        (1, operator("Conv", &["x", "w"], "c", &[])),
        (1, operator("GlobalAveragePool", &["c"], "p", &[])),
        (1, operator("Flatten", &["p"], "y", &[])),
        (5, tensor("w", &[2, 3, 3, 3], &weight)),
        (11, port("x", &[0, 3, 0, 0])),
        (12, port("y", &[0, 2])),
    ];
    file(9, &[&parts[..], more].concat())
}

/// Scores with rows and columns are averaged over a box, and explained there: only its pixels have gradients.
#[test]
fn boxes_of_segmentations() {
    let file = small(&[(12, port("c", &[]))]);
    let explain = |region: [f64; 4]| {
        let options = ModelOptions::default().score("c").region(region).size([12, 10]);
        let model = Model::parse("net.onnx", &file, &options).unwrap();
        let mut explainer = Explainer::new(model, Device::Cpu).with_method(Method::Saliency);
        let values: Vec<f32> = (0..360).map(|i| (i as f32 * 0.3).sin()).collect();
        let images = Images::Tensor { shape: [1, 3, 12, 10], values: &values };
        let batch = explainer.explain(images, &Classes::Chosen(vec![1]), &Outputs::default().logits(true).raw(true));
        let explanation = batch.unwrap().explanations.remove(0);
        (explanation.logits.unwrap(), explanation.heatmaps[0].raw.clone().unwrap())
    };
    // The scores are 10 rows of 8. Quarters of them add up to the whole.
    let whole = explain([0.0, 0.0, 1.0, 1.0]).0;
    let halves = [0.0, 0.5].map(|top| [0.0, 0.5].map(|left| explain([left, top, left + 0.5, top + 0.5]).0));
    let mean = halves.iter().flatten().map(|logits| logits[0]).sum::<f32>() / 4.0;
    assert!((whole[0] - mean).abs() < 1e-6, "{} {mean}", whole[0]);
    let (_, map) = explain([0.5, 0.0, 1.0, 0.5]);
    let is_reached = |p: usize| p % 10 >= 4 && p / 10 < 7;
    assert!(map.values.iter().enumerate().all(|(p, v)| (*v > 0.0) == is_reached(p)), "{:?}", map.values);
}

/// Constants that are joined to an image's values, such as a class token, are joined to those of every image.
#[test]
fn constants_joined_to_several_images() {
    for (axis, dims) in [(1, [1, 3, 10, 8]), (2, [1, 2, 1, 8])] {
        let constant: Vec<f32> = (0..dims.iter().product()).map(|i| (i as f32 * 0.9).cos()).collect();
        for operands in [["c", "k"], ["k", "c"]] {
            let parts = [
                (1, operator("Concat", &operands, "j", &number("axis", axis))),
                (1, operator("Sigmoid", &["j"], "s", &[])),
                (1, operator("GlobalAveragePool", &["s"], "q", &[])),
                (1, operator("Flatten", &["q"], "z", &[])),
                (5, tensor("k", &dims, &constant)),
                (12, port("z", &[])),
            ];
            let options = ModelOptions::default().score("z").size([12, 10]);
            let model = Model::parse("net.onnx", &small(&parts), &options).unwrap();
            let mut explainer = Explainer::new(model, device()).with_layer("the Conv").unwrap();
            let values: Vec<f32> = (0..720).map(|i| (i as f32 * 0.3).sin()).collect();
            let mut explain = |values: &[f32]| {
                let images = Images::Tensor { shape: [values.len() / 360, 3, 12, 10], values };
                let outputs = Outputs::default().logits(true).raw(true);
                explainer.explain(images, &Classes::Chosen(vec![1]), &outputs).unwrap().explanations
            };
            let both = explain(&values);
            let apart = [explain(&values[..360]), explain(&values[360..])].concat();
            assert_eq!(both, apart, "axis {axis}, {operands:?}");
            assert_ne!(both[0].logits, both[1].logits);
        }
    }
}

fn refused(bytes: &[u8]) -> String {
    Model::parse("net.onnx", bytes, &ModelOptions::default()).err().expect("an error").to_string()
}

/// What exporters do, and what is refused, each in one line that says what and why.
#[test]
fn files_of_all_kinds() {
    let open = |bytes: &[u8], options: ModelOptions| Model::parse("net.onnx", bytes, &options);
    let plain = open(&small(&[]), ModelOptions::default()).unwrap();
    assert_eq!((plain.classes(), plain.default_layer(), plain.preprocess.size), (2, "the Conv", [224, 224]));
    // Older files list their tensors among the inputs.
    assert!(open(&small(&[(11, port("w", &[2, 3, 3, 3]))]), ModelOptions::default()).is_ok());
    // A branch that nobody needs is not looked at.
    let strange = (1, operator("Mystery", &["c"], "m", &[]));
    assert!(open(&small(&[strange.clone(), (12, port("m", &[]))]), ModelOptions::default()).is_ok());
    let error =
        open(&small(&[strange, (12, port("m", &[]))]), ModelOptions::default().score("m")).err().unwrap().to_string();
    assert!(error.contains("not supported in opset 9: Mystery (1×, first at 'the Mystery')"), "{error}");
    assert!(
        open(&small(&[]), ModelOptions::default().score("c")).err().unwrap().to_string().contains("has no output 'c'")
    );
    let scores = small(&[(12, port("c", &[]))]);
    let error = open(&scores, ModelOptions::default().score("c")).err().unwrap().to_string();
    assert!(error.contains("[1, 2, 222, 222], not one score for each class; --box takes"), "{error}");
    let error = open(&small(&[]), ModelOptions::default().region([0.0, 0.0, 1.0, 1.0])).err().unwrap().to_string();
    assert!(error.contains("[1, 2] has no rows and columns; leave --box out"), "{error}");
    assert!(refused(&small(&[(11, port("z", &[1]))])).contains("several inputs: x, z; --input names one"));
    let twice =
        [(1, operator("Relu", &["b"], "a", &[])), (1, operator("Relu", &["a"], "b", &[])), (12, port("a", &[]))];
    assert!(open(&small(&twice), ModelOptions::default().score("a")).err().unwrap().to_string().contains("circle"));
    assert!(open(&small(&[]), ModelOptions::default().architecture("resnet18")).is_err());
    // Activations that would be rounded.
    let rounded = [
        (1, operator("QuantizeLinear", &["y", "s"], "q", &[])),
        (1, operator("DequantizeLinear", &["q", "s"], "d", &[])),
        (5, tensor("s", &[], &[0.1])),
        (12, port("d", &[0, 2])),
    ];
    let rounded = open(&small(&rounded), ModelOptions::default().score("d")).unwrap();
    let [quantised, photos] = rounded.remarks() else { panic!("{:?}", rounded.remarks()) };
    assert_eq!(quantised, "QuantizeLinear (1×) is left out: activations are computed as f32");
    assert!(photos.starts_with("how photos were prepared is not said in full, so as is usual: "), "{photos}");

    let of = |parts: &[(usize, Vec<u8>)]| {
        refused(&file(17, &[parts, &[(11, port("x", &[1, 3, 8, 8])), (12, port("y", &[]))]].concat()))
    };
    let sum = (1, operator("Add", &["x", "t"], "y", &[]));
    assert!(of(&[(1, operator("Relu", &["nothing"], "y", &[]))]).contains("takes 'nothing', which nothing makes"));
    assert!(of(&[sum.clone(), (5, tensor("t", &[5], &[0.0; 4]))]).contains("tensor 't' has 4 numbers, not 5"));
    assert!(of(&[sum.clone(), (5, tensor("t", &[1 << 40, 1 << 40], &[]))]).contains("too many"));
    assert!(of(&[sum.clone(), (5, tensor("t", &[5], &[0.0; 5]))]).contains("do not fit together"));
    let place = |key: &str, value: &str| field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat());
    let elsewhere = [tensor("t", &[1], &[]), place("location", "../../etc/passwd")].concat();
    assert!(of(&[sum.clone(), (5, elsewhere)]).contains("outside the model's folder"));
    let claim = operator("ConstantOfShape", &["s"], "t", &[]);
    assert!(of(&[sum, (1, claim), (5, tensor("s", &[3], &[1e9, 1e9, 1e9]))]).contains("too many"));
    let norm = operator(
        "BatchNormalization",
        &["x", "t", "t", "t", "t"],
        "y",
        &[field(2, b"mean"), attribute("epsilon", &[])].concat(),
    );
    assert!(of(&[(1, norm), (5, tensor("t", &[3], &[1.0; 3]))]).contains("call model.eval() before the export"));
    let weight = (5, tensor("t", &[3, 2, 3, 3], &[0.1; 54]));
    let enlarged = |more: &[usize]| operator("ConvTranspose", &["x", "t"], "y", &attribute("output_padding", more));
    for (more, words) in [(&[1][..], "not of two axes"), (&[0, 1], "do not fit"), (&[usize::MAX, 0], "do not fit")] {
        let error = of(&[(1, enlarged(more)), weight.clone()]);
        assert!(error.contains(words), "{more:?}: {error}");
    }
    // An old operator that says itself which axes of its operands belong together.
    let one = |name: &str| {
        field(5, &[field(1, name.as_bytes()), message(&[Part::Number(3, 1), Part::Number(20, 2)])].concat())
    };
    let old = operator("Add", &["x", "t"], "y", &[one("broadcast"), one("axis")].concat());
    let old = [(1, old), (5, tensor("t", &[3], &[1.0; 3])), (11, port("x", &[1, 3, 8, 8])), (12, port("y", &[]))];
    assert!(refused(&file(6, &old)).contains("Add 'the Add' is of an opset before 7"));
    let fixed =
        file(17, &[(1, operator("Relu", &["x"], "y", &[])), (11, port("x", &[4, 3, 8, 8])), (12, port("y", &[]))]);
    assert!(refused(&fixed).contains("batches of 4"));
}

/// Large tensors may lie in another file, which is found from any folder.
#[test]
fn tensors_in_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let values: Vec<f32> = (0..2 * 3 * 9).map(|i| (i as f32 * 0.7).sin()).collect();
    let place = |key: &str, value: &str| field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat());
    let outside =
        [tensor("w", &[2, 3, 3, 3], &[]), place("location", "w.data"), place("offset", "8"), place("length", "216")]
            .concat();
    let whole = small(&[]);
    let split = changed(&whole, &|number, graph| {
        (number == 7).then(|| changed(graph, &|number, _| (number == 5).then(|| outside.clone())))
    });
    let path = folder.path().join("net.onnx");
    std::fs::write(&path, split).unwrap();
    let open = || Model::open(path.to_str().unwrap(), &ModelOptions::default());
    assert!(open().err().unwrap().to_string().contains("w.data"));
    std::fs::write(folder.path().join("w.data"), [0; 100]).unwrap();
    assert!(open().err().unwrap().to_string().contains("too short"));
    let bytes: Vec<u8> = [0; 8].into_iter().chain(values.iter().flat_map(|v| v.to_le_bytes())).collect();
    std::fs::write(folder.path().join("w.data"), bytes).unwrap();
    let weight = |model: Model| model.network(Kind::Plain, [1, 3, 9, 9]).unwrap().graph.params[0].values().into_owned();
    assert_eq!(weight(open().unwrap()), values);
    assert_eq!(weight(Model::parse("whole", &whole, &ModelOptions::default()).unwrap()), values);
}

/// Damaged files give an error or a network, and never anything else. GRADCAM_TEST_FILES says how many are tried.
#[test]
fn damaged_files() {
    let bytes = std::fs::read(goldens().join("onnx_ops.safetensors")).unwrap();
    let golden = SafeTensors::deserialize(&bytes).unwrap();
    let mut files: Vec<Vec<u8>> =
        golden.iter().filter(|(name, _)| name.ends_with("/model")).map(|(_, tensor)| tensor.data().to_vec()).collect();
    files.sort();
    files.push(small(&[]));
    let count: usize = std::env::var("GRADCAM_TEST_FILES").map_or(50_000, |text| text.parse().unwrap());
    let mut random: u64 = 11;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let mut opened = 0;
    for i in 0..count {
        let mut damaged = files[i % files.len()].clone();
        for _ in 0..1 + next(3) {
            let at = next(damaged.len());
            match next(4) {
                0 => damaged[at] = next(256) as u8,
                1 => damaged[at] ^= 1 << next(8),
                2 => damaged.truncate(at.max(1)),
                _ => drop(damaged.remove(at)),
            }
            if damaged.is_empty() {
                damaged.push(8);
            }
        }
        opened += usize::from(Model::parse("damaged", &damaged, &ModelOptions::default()).is_ok());
    }
    println!("{opened} of {count} damaged files are networks");
    assert!(opened > 0 && opened < count, "{opened} of {count}");
}

/// The gradient of each operator in the CPU truth, compared with central differences at some numbers of the image.
#[test]
fn gradients_of_operators() {
    let bytes = std::fs::read(goldens().join("onnx_ops.safetensors")).unwrap();
    let golden = SafeTensors::deserialize(&bytes).unwrap();
    let mut wrong = vec![];
    for (name, _) in golden.iter().filter_map(|(name, tensor)| Some((name.split_once("/scores of ")?, tensor))) {
        let (name, shape) = name;
        let shape: [usize; 4] = serde_json::from_str(shape).unwrap();
        let file = golden.tensor(&format!("{name}/model")).unwrap();
        let x: Vec<f64> = seeded::tensor("x", &shape, 1.0).iter().map(|v| f64::from(*v) * 10.0).collect();
        let model = Model::parse(name, file.data(), &ModelOptions::default()).unwrap();
        let Network { mut graph, input, features, logits, .. } = model.network(Kind::Plain, shape).unwrap();
        let seed_shape = graph.shape(logits);
        let weights: Vec<f64> = seeded::tensor("seed", &seed_shape, 1.0).iter().map(|v| f64::from(*v)).collect();
        let seed = graph.input(Kind::Plain, seed_shape);
        let packed = graph.push(Op::Pack, &[seed]).unwrap();
        let dx = match gradients(&mut graph, logits, packed, &[features], Rule::Standard) {
            Ok(dx) => dx[0],
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let evaluate = |x: &[f64], output: usize| {
            let given = [(input, Numbers(x.to_vec())), (seed, Numbers(weights.clone()))];
            evaluate(&graph, &given, &[output]).remove(0).numbers().to_vec()
        };
        let loss = |x: &[f64]| evaluate(x, logits).iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>();
        let analytic = evaluate(&x, dx);
        let scale = analytic.iter().fold(1e-9_f64, |m, v| m.max(v.abs()));
        for at in (0..x.len()).step_by(13) {
            let shifted = |by: f64| {
                let mut x = x.clone();
                x[at] += by;
                loss(&x)
            };
            let difference = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
            let error = (difference - analytic[at]).abs() / scale;
            let right = error < 1e-5; // false for NaN
            if !right {
                wrong.push(format!(
                    "{name}: {difference} by differences, {} by the backward pass at {at}",
                    analytic[at]
                ));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
