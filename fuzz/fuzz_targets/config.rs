//! What lies beside weights: `config.json` and `preprocessor_config.json`.
#![no_main]

use std::sync::OnceLock;

use gradcam::model::Tensor;
use gradcam::{Model, ModelOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    static TENSORS: OnceLock<Vec<Tensor>> = OnceLock::new();
    let tensors = TENSORS.get_or_init(|| Model::seeded("squeezenet1_1", 10, 1.0).unwrap().tensors());
    // Two files, divided by a zero byte.
    let mut files = bytes.splitn(2, |byte| *byte == 0);
    let options = ["config.json", "preprocessor_config.json"]
        .into_iter()
        .fold(ModelOptions::default(), |o, name| o.beside(name, files.next().unwrap_or_default()));
    if let Ok(model) = Model::from_tensors("fuzz", tensors.clone(), &options) {
        let text = model.description().to_string();
        assert!(model.remarks().iter().chain([&text]).all(|line| line.len() < 1 << 20));
    }
});
