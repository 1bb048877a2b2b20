//! `--tensors`: safetensors files and NumPy arrays of images.
#![no_main]

use std::sync::OnceLock;

use gradcam::Model;
use libfuzzer_sys::fuzz_target;

#[path = "../../src/cli/explain/npy.rs"]
mod npy;
#[path = "../../src/cli/explain/tensors.rs"]
#[allow(dead_code)]
mod tensors;

fuzz_target!(|bytes: &[u8]| {
    static MODEL: OnceLock<Model> = OnceLock::new();
    let model = MODEL.get_or_init(|| Model::seeded("squeezenet1_1", 10, 1.0).unwrap());
    if let Ok(found) = tensors::Tensors::parse("fuzz", bytes, model) {
        assert_eq!(found.values.len(), found.shape.iter().product::<usize>());
        assert!(found.values.iter().all(|value| value.is_finite()));
        assert!(found.classes.is_none_or(|classes| classes.len() == found.shape[0]));
    }
});
