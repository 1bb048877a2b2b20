//! Weights files: safetensors and archives of `torch.save`, of a network that the caller names.
#![no_main]

use gradcam::{Model, ModelOptions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    gradcam::memory::set_limit(64 << 20);
    drop(Model::parse("fuzz", bytes, &ModelOptions::default().architecture("squeezenet1_1")));
});
