//! What lies beside a network: `config.json` and `preprocessor_config.json`.
#![no_main]

use gradcam::{Model, ModelOptions};
use libfuzzer_sys::fuzz_target;

/// The smallest network, so that the files beside it are what takes time.
const NETWORK: &[u8] = include_bytes!("../seeds/onnx/small.onnx");

fuzz_target!(|bytes: &[u8]| {
    // Two files, divided by a zero byte.
    let mut files = bytes.splitn(2, |byte| *byte == 0);
    let options = ["config.json", "preprocessor_config.json"]
        .into_iter()
        .fold(ModelOptions::default(), |o, name| o.beside(name, files.next().unwrap_or_default()));
    if let Ok(model) = Model::parse("fuzz", NETWORK, &options) {
        let text = model.description().to_string();
        assert!(model.remarks().iter().chain([&text]).all(|line| line.len() < 1 << 20));
    }
});
