//! Pictures of every kind, and the input that a network sees of them.
#![no_main]

use std::sync::OnceLock;

use gradcam::{Model, ModelOptions, Photo};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    static MODEL: OnceLock<Model> = OnceLock::new();
    let options = ModelOptions::default().size([32, 32]);
    let model = MODEL.get_or_init(|| {
        let tensors = Model::seeded("squeezenet1_1", 10, 1.0).unwrap().tensors();
        Model::from_tensors("fuzz", tensors, &options.architecture("squeezenet1_1")).unwrap()
    });
    gradcam::memory::set_limit(256 << 20);
    // The begin decides whether it is TGA, which has no mark.
    let name = if bytes.first() == Some(&0) { "fuzz.tga" } else { "fuzz" };
    if let Ok(photo) = Photo::decode(name, bytes) {
        assert!(photo.width() * photo.height() * 4 == photo.rgba().len() as u32);
        drop(photo.without_pixels(&model.preprocess));
    }
});
