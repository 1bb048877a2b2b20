//! Packs the bundled weights, for a smaller program: of f16 numbers the upper bytes, which are alike, are compressed; the lower
//! ones, which are noise, follow as they are. `model::bundled` takes them apart.

use std::path::Path;
use std::{env, fs};

const WEIGHTS: &str = "weights/efficientnet_lite0.safetensors";

fn main() {
    println!("cargo:rerun-if-changed={WEIGHTS}");
    if env::var_os("CARGO_FEATURE_BUNDLED").is_none() {
        return;
    }
    let file = fs::read(WEIGHTS).expect("the bundled weights");
    let (pairs, rest) = file.as_chunks::<2>();
    assert!(rest.is_empty(), "{WEIGHTS} has an odd number of bytes");
    let [lower, upper] = [0, 1].map(|i| pairs.iter().map(|pair| pair[i]).collect::<Vec<u8>>());
    let packed = [lower, miniz_oxide::deflate::compress_to_vec(&upper, 9)].concat();
    let out = env::var_os("OUT_DIR").expect("cargo's folder");
    let length = format!("/// Bytes of the weights when they are whole.\nconst WHOLE: usize = {};\n", file.len());
    fs::write(Path::new(&out).join("bundled.packed"), packed).expect("room for the packed weights");
    fs::write(Path::new(&out).join("bundled.rs"), length).expect("room for their length");
}
