//! Weights files: recognition by tensors, metadata and `config.json`, number formats, labels, and errors.

mod common;
#[path = "common/formula.rs"]
mod formula;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use gradcam::graph::{Builder, Graph, Kind, Op, ParamSource};
use gradcam::model::Tensor;
use gradcam::model::zoo::{Architecture, Library, architectures};
use gradcam::{Classes, Device, Explainer, Images, Model, ModelOptions, Outputs};
use half::{bf16, f16};
use safetensors::tensor::{Dtype, TensorView, serialize};

/// Names and extents of the tensors that a network requests.
#[derive(Default)]
struct Names(Vec<(String, Vec<usize>)>);

impl ParamSource for Names {
    fn get(&mut self, name: &str, shape: &[usize]) -> Arc<[f32]> {
        self.0.push((name.to_owned(), shape.to_vec()));
        Arc::new([])
    }
}

fn names(architecture: &Architecture, classes: usize) -> Vec<(String, Vec<usize>)> {
    let (mut graph, mut names) = (Graph::default(), Names::default());
    let input = graph.input(Kind::Plain, [1, 3, architecture.size, architecture.size]);
    let x = graph.push(Op::Pack, &[input]).unwrap();
    (architecture.build)(&mut Builder::new(graph, &mut names), x, classes).unwrap();
    names.0
}

fn zeros(names: &[(String, Vec<usize>)]) -> Vec<Tensor> {
    names.iter().map(|(name, shape)| (name.clone(), shape.clone(), vec![0.0; shape.iter().product()].into())).collect()
}

fn row(name: &str, library: Library) -> &'static Architecture {
    architectures().find(|a| a.name == name && a.library == library).unwrap()
}

/// Tensors alone determine the architecture, for a head of any size. If several architectures have these tensors, the
/// error lists them.
#[test]
fn tensors_tell_the_architecture() {
    let mut ambiguous = vec![];
    for architecture in architectures().filter(|a| !a.family && a.size().unwrap().parameters < 12_000_000) {
        let tensors = zeros(&names(architecture, 7));
        match Model::from_tensors("tensors", tensors, &ModelOptions::default()) {
            Ok(model) => assert_eq!((model.architecture(), model.classes()), (architecture.name, 7)),
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains("several architectures") && error.contains(architecture.name), "{error}");
                ambiguous.push(architecture.name);
            }
        }
    }
    // These pairs differ only in padding and epsilon.
    let networks = [
        "efficientnet_b0",
        "efficientnet_b1",
        "efficientnet_b2",
        "efficientnet_lite0",
        "efficientnet_lite1",
        "efficientnet_lite2",
        "efficientnet_lite3",
        "mobilenetv3_small_100",
        "mobilenetv3_large_100",
    ];
    let twins = networks.map(|name| [name.to_owned(), format!("tf_{name}")]).concat();
    ambiguous.sort_unstable();
    let mut twins: Vec<&str> = twins.iter().map(String::as_str).collect();
    twins.sort_unstable();
    assert_eq!(ambiguous, twins);
}

/// Every row asks for each tensor name once, and its classifier has a bias.
#[test]
fn rows_are_sound() {
    for architecture in architectures() {
        let names = names(architecture, 7);
        let bias = format!("{}.bias", architecture.classifier);
        assert!(names.iter().any(|(name, shape)| *name == bias && *shape == [7]), "{}: no {bias}", architecture.name);
        let mut unique: Vec<_> = names.iter().map(|(name, _)| name).collect();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len(), "{}: a tensor is asked for twice", architecture.name);
    }
}

#[test]
fn complaints_name_ten_tensors_and_count_the_others() {
    let mut tensors = zeros(&names(row("resnet18", Library::Torchvision), 1000));
    tensors.retain(|(name, ..)| !name.starts_with("layer1"));
    tensors.push(("layer2.extra".into(), vec![1], [0.0][..].into()));
    tensors.iter_mut().filter(|(name, ..)| name == "conv1.weight").for_each(|t| t.1 = vec![64, 147]);
    let error = Model::from_tensors("mine.safetensors", tensors, &ModelOptions::default().architecture("resnet18"))
        .err()
        .unwrap()
        .to_string();
    for part in
        ["mine.safetensors", "resnet18", "missing: layer1.0.conv1.weight", "and 10 more", "unexpected: layer2.extra"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(error.contains("of another shape: conv1.weight [64, 147] instead of [64, 3, 7, 7]"), "{error}");
}

/// Writes a small network's weights from the formula, converted by `convert`.
fn write(path: &Path, dtype: Dtype, convert: impl Fn(f32) -> Vec<u8>, metadata: &[(&str, &str)]) {
    let model = names(row("squeezenet1_1", Library::Torchvision), 5);
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = model
        .into_iter()
        .map(|(name, shape)| {
            let values = gradcam::model::seeded::tensor(&name, &shape, 1.0);
            (name, shape, values.iter().flat_map(|v| convert(*v)).collect())
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, data)| (name, TensorView::new(dtype, shape.clone(), data).unwrap()));
    let metadata: HashMap<String, String> = metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    std::fs::write(path, serialize(views, Some(metadata)).unwrap()).unwrap();
}

fn logits(model: Model, transform: impl Fn(usize, f32) -> f32) -> Vec<f32> {
    let shape = [1, 3, 63, 70];
    let plane = shape[2] * shape[3];
    let values: Vec<f32> =
        formula::images(shape, 0).into_iter().enumerate().map(|(i, v)| transform(i / plane, v)).collect();
    let mut explainer = Explainer::new(model, Device::Cpu);
    let outputs = Outputs::default().logits(true);
    let batch = explainer.explain(Images::Tensor { shape, values: &values }, &Classes::Top(1), &outputs).unwrap();
    batch.explanations[0].logits.clone().unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    let scale = a.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    a.iter().zip(b).fold(0.0, |m, (a, b)| m.max((a - b).abs() / scale))
}

#[test]
fn number_formats() {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| Model::open(folder.path().join(name).to_str().unwrap(), &ModelOptions::default()).unwrap();
    write(&folder.path().join("f32.safetensors"), Dtype::F32, |v| v.to_le_bytes().to_vec(), &[]);
    write(&folder.path().join("f16.safetensors"), Dtype::F16, |v| f16::from_f32(v).to_le_bytes().to_vec(), &[]);
    write(&folder.path().join("bf16.safetensors"), Dtype::BF16, |v| bf16::from_f32(v).to_le_bytes().to_vec(), &[]);
    let same = |_, v| v;
    let truth = logits(open("f32.safetensors"), same);
    for (name, tolerance) in [("f16.safetensors", 2e-3), ("bf16.safetensors", 2e-2)] {
        let error = largest_difference(&truth, &logits(open(name), same));
        assert!(error > 0.0 && error < tolerance, "{name}: {error:e}");
    }
}

/// GoogLeNet's and Inception's weights may ask for another normalisation of the input.
#[test]
fn transform_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let plain = |v: f32| v.to_le_bytes().to_vec();
    write(&path, Dtype::F32, plain, &[]);
    let by_hand = |channel: usize, v: f32| {
        let (mean, std) = ([0.485, 0.456, 0.406][channel], [0.229, 0.224, 0.225][channel]);
        (v * std + mean - 0.5) / 0.5
    };
    let truth = logits(Model::open(path.to_str().unwrap(), &ModelOptions::default()).unwrap(), by_hand);
    write(&path, Dtype::F32, plain, &[("transform_input", "true")]);
    let found = logits(Model::open(path.to_str().unwrap(), &ModelOptions::default()).unwrap(), |_, v| v);
    assert!(largest_difference(&truth, &found) < 1e-6);
}

#[test]
fn config_beside_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let config = |text: &str| std::fs::write(folder.path().join("config.json"), text).unwrap();
    let open = || Model::open(path.to_str().unwrap(), &ModelOptions::default());
    write(&path, Dtype::F32, |v| v.to_le_bytes().to_vec(), &[]);
    config(
        r#"{"architecture": "squeezenet1_1", "num_classes": 5, "label_names": ["ant", "bee", "cat", "dog", "eel"],
            "pretrained_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2], "input_size": [3, 160, 192],
                               "crop_pct": 0.95, "interpolation": "bicubic", "tag": "in1k"}}"#,
    );
    // The same files may come as bytes, from where there are no folders.
    let bytes = |path: &Path| std::fs::read(path).unwrap();
    let given = ModelOptions::default().beside("config.json", bytes(&folder.path().join("config.json")));
    let given = Model::parse("model", &bytes(&path), &given.beside("notes.txt", "no config")).unwrap();
    assert_eq!(given.remarks()[0], "notes.txt is left out: only config.json and preprocessor_config.json are read");
    for model in [open().unwrap(), given] {
        let preprocess = &model.preprocess;
        assert_eq!(
            (preprocess.size, &preprocess.mean[..], preprocess.resize),
            ([160, 192], &[0.5, 0.4, 0.3][..], [168, 202])
        );
        assert_eq!((model.label(3), model.class("EEL").unwrap()), ("dog".into(), 4));
    }
    config(r#"{"id2label": {"0": "a", "1": "b", "2": "c", "3": "d", "4": "e"}}"#);
    assert_eq!(open().unwrap().label(1), "b");
    config(r#"{"id2label": {"0": "a", "1": "b", "2": "c", "3": "d", "10": "no class"}}"#);
    assert_eq!(open().unwrap().label(1), "class 1");
    assert!(
        open().unwrap().remarks()[0].contains("11 labels are given for 5 classes"),
        "{:?}",
        open().unwrap().remarks()
    );
    config(r#"{"architecture": "resnet18"}"#);
    assert!(open().err().unwrap().to_string().contains("not those of resnet18"));
    config("{");
    assert!(open().unwrap().remarks()[0].contains("config.json is left out"), "{:?}", open().unwrap().remarks());
    // The file's own metadata takes precedence.
    config(r#"{"architecture": "resnet18"}"#);
    write(&path, Dtype::F32, |v| v.to_le_bytes().to_vec(), &[("architecture", "squeezenet1_1")]);
    assert_eq!(open().unwrap().architecture(), "squeezenet1_1");
}

/// What is in a config.json does not matter, unless it is needed: other programs have files of that name.
#[test]
fn configs_of_all_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write(&path, Dtype::F32, |v| v.to_le_bytes().to_vec(), &[]);
    let open = |config: &str| {
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        Model::open(path.to_str().unwrap(), &ModelOptions::default())
    };
    let left_out = ["", "{", "[]", "// a comment\n{}", "{\"a\": 1,}", "7"];
    for config in left_out {
        let model = open(config).unwrap_or_else(|error| panic!("{config}: {error}"));
        assert!(model.remarks()[0].contains("config.json is left out"), "{config}: {:?}", model.remarks());
    }
    let ignored = [
        "\u{feff}{}",
        r#"{"label_names": null, "pretrained_cfg": null, "architecture": null}"#,
        r#"{"pretrained_cfg": [], "id2label": {"a": "b"}, "mean": null, "model_args": null}"#,
    ];
    for config in ignored {
        assert!(open(config).unwrap().remarks().iter().any(|r| r.contains("taken for torchvision's squeezenet1_1")));
    }
    let odd = open(r#"{"architecture": {"name": "resnet18"}}"#).unwrap();
    assert!(odd.remarks()[0].contains("'architecture' is no name"), "{:?}", odd.remarks());
    for (config, word) in [
        (r#"{"mean": [0.5, 0.5]}"#, "'mean' is [0.5,0.5]; 3 numbers are needed, from -10 to 10"),
        (
            r#"{"mean": [123.7, 116.3, 103.5]}"#,
            "'mean' is [123.7,116.3,103.5]; 3 numbers are needed, from -10 to 10, for colours of 0 to 1",
        ),
        (r#"{"mean": [1e39, 0, 0]}"#, "'mean'"),
        (r#"{"std": [0.0, 1.0, 1.0]}"#, "'std'"),
        (r#"{"std": [1e-45, 1, 1]}"#, "3 numbers are needed, from 1e-6 to 10"),
        (r#"{"std": [58.4, 57.1, 57.4]}"#, "'std'"),
        (r#"{"input_size": [3, 0, 224]}"#, "'input_size'"),
        (r#"{"interpolation": "random"}"#, "'interpolation' is \"random\"; nearest, box"),
        (r#"{"crop_mode": "zoom"}"#, "center, squash, border or whole"),
        (r#"{"crop_pct": 7}"#, "'crop_pct' is 7"),
        (r#"{"model_args": {"act_layer": "gelu"}}"#, "'act_layer' is \"gelu\", which is not supported"),
        (r#"{"model_args": {"output_stride": 8}}"#, "squeezenet1_1 has no dilated form"),
        (r#"{"global_pool": "token"}"#, "'global_pool' is \"token\""),
        (r#"{"architecture": "resnetblur50"}"#, "unknown architecture 'resnetblur50'"),
    ] {
        let error = open(config).err().unwrap_or_else(|| panic!("{config} passes")).to_string();
        assert!(error.contains(word), "{config}: {error}");
    }
    let described = open(r#"{"label_names": ["n1", "n2", "n3", "n4", "n5"], "label_descriptions": {"n2": "a bee"}}"#);
    assert_eq!(described.as_ref().unwrap().label(1), "a bee");
    assert_eq!(described.unwrap().class("n2").unwrap(), 1);
}

/// Options come before the files, and the results say who said what.
#[test]
fn options_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write(&path, Dtype::F32, |v| v.to_le_bytes().to_vec(), &[("mean", "0.5"), ("std", "[0.25, 0.5, 0.25]")]);
    let config = r#"{"crop_pct": 0.5, "mean": [0, 0, 0], "problem_type": "multi_label_classification"}"#;
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let options = ModelOptions::default().size([100, 60]).std(&[1.0]).labels(["a", "b", "c", "d", "e"]);
    let model = Model::open(path.to_str().unwrap(), &options).unwrap();
    let description = serde_json::to_value(model.description()).unwrap();
    assert_eq!(description["preprocess"]["size"], serde_json::json!([100, 60]));
    assert_eq!(description["preprocess"]["resize"], serde_json::json!([200, 120]));
    assert_eq!(description["preprocess"]["mean"], serde_json::json!([0.5, 0.5, 0.5]));
    assert_eq!((&description["scores"], &description["architecture"]), (&"sigmoid".into(), &"squeezenet1_1".into()));
    let from = &description["from"];
    let of_photos = &from["preprocess"];
    for (part, by) in [("size", "option"), ("resize", "config"), ("std", "option"), ("mean", "file")] {
        assert_eq!(of_photos[part], by, "{part}");
    }
    assert_eq!((&from["architecture"], &from["labels"]), (&"tensors".into(), &"option".into()));
    let wrong = Model::open(path.to_str().unwrap(), &ModelOptions::default().labels(["a"])).err().unwrap();
    assert!(wrong.to_string().contains("1 labels are given for 5 classes"), "{wrong}");
}

/// Prefixes, other networks in the same file, and tensors outside the network.
#[test]
fn other_tensors_in_the_file() {
    let own = zeros(&names(row("squeezenet1_1", Library::Torchvision), 5));
    let named = |prefix: &str| own.iter().map(|(n, s, v)| (format!("{prefix}{n}"), s.clone(), v.clone())).collect();
    let open = |tensors: Vec<Tensor>, options: &ModelOptions| Model::from_tensors("two", tensors, options);
    let usual = ModelOptions::default();
    let twice: Vec<Tensor> = [named("model."), named("ema.module.")].concat();
    let error = open(twice.clone(), &usual).err().unwrap().to_string();
    assert!(error.contains("'ema.module.', 'model.'; name one with --prefix"), "{error}");
    for prefix in ["model", "ema.module."] {
        let model = open(twice.clone(), &ModelOptions::default().prefix(prefix)).unwrap();
        assert!(model.remarks()[0].contains("ignores tensors outside the network: "), "{:?}", model.remarks());
        assert!(open(twice.clone(), &ModelOptions::default().prefix(prefix).strict(true)).is_err());
    }
    let other = open(twice, &ModelOptions::default().prefix("student")).err().unwrap().to_string();
    assert!(other.contains("begins with 'student'"), "{other}");
    let alone = open(named(""), &ModelOptions::default().strict(true)).unwrap();
    assert!(alone.remarks()[0].starts_with("taken for torchvision's squeezenet1_1"), "{:?}", alone.remarks());
    assert_eq!(alone.remarks().len(), 1);
    // A value that is not finite matters in the network only.
    let mut nan = named("");
    nan.push(("normalize.mean".into(), vec![1], [f32::NAN][..].into()));
    assert!(open(nan.clone(), &usual).is_ok());
    nan[0].2 = vec![f32::INFINITY; nan[0].2.len()].into();
    assert!(open(nan, &usual).err().unwrap().to_string().contains("features.0.weight' holds inf at 0"));
    // A body without a classifier, and a tensor inside the body that nothing asks for.
    let mut body: Vec<Tensor> = named("");
    body.retain(|(name, ..)| !name.starts_with("classifier"));
    assert!(open(body, &usual).err().unwrap().to_string().contains("holds no classifier"));
    let mut attention: Vec<Tensor> = named("");
    attention.push(("features.3.attention.weight".into(), vec![1], [0.0][..].into()));
    let error = open(attention, &usual).err().unwrap().to_string();
    assert!(error.contains("the nearest architecture; unexpected: features.3.attention.weight"), "{error}");
}
