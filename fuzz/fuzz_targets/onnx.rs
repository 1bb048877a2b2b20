//! Networks as ONNX files.
#![no_main]

use gradcam::{Model, ModelOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    gradcam::memory::set_limit(64 << 20);
    // Other files begin otherwise.
    if bytes.first() == Some(&8) {
        drop(Model::parse("fuzz", bytes, &ModelOptions::default()));
    }
});
