//! Packs what the library carries, for a smaller program: its texts in one stream, shaders without their headers, and of the
//! bundled weights' f16 numbers the upper bytes, which are alike; the lower ones, which are noise, follow as they are. `texts`
//! and `model::bundled` unpack.

use std::path::{Path, PathBuf};
use std::{env, fs};

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::deflate::core::create_comp_flags_from_zip_params as flags;
use miniz_oxide::deflate::core::{CompressionStrategy, CompressorOxide, TDEFLFlush, compress_to_output};

const WEIGHTS: &str = "weights/efficientnet_lite0.safetensors";
const TABLES: [&str; 3] =
    ["src/model/zoo/transforms.txt", "weights/imagenet_labels.txt", "weights/imagenet_synsets.txt"];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo's folder"));
    let write = |name: &str, content: &[u8]| fs::write(out.join(name), content).expect("room for what is packed");
    let shaders = ["shaders", "shaders/shared"].map(|folder| files(Path::new(folder))).concat();
    let (mut text, mut table) = (String::new(), String::new());
    for path in shaders.iter().map(String::as_str).chain(TABLES) {
        println!("cargo:rerun-if-changed={path}");
        let begin = text.len();
        let whole = fs::read_to_string(path).expect("a text of the repository");
        text += &if path.ends_with(".wgsl") { without_header(&whole) } else { whole };
        table += &format!("({path:?}, {begin}..{}), ", text.len());
    }
    println!("cargo:rerun-if-changed=shaders");
    println!("cargo:rerun-if-changed=shaders/shared");
    write("texts.packed", &compress_to_vec(text.as_bytes(), 9));
    write("texts.rs", format!("&[{table}]").as_bytes());

    println!("cargo:rerun-if-changed={WEIGHTS}");
    if env::var_os("CARGO_FEATURE_BUNDLED").is_none() {
        return;
    }
    let file = fs::read(WEIGHTS).expect("the bundled weights");
    let (pairs, rest) = file.as_chunks::<2>();
    assert!(rest.is_empty(), "{WEIGHTS} has an odd number of bytes");
    let [lower, upper] = [0, 1].map(|i| pairs.iter().map(|pair| pair[i]).collect::<Vec<u8>>());
    write("bundled.packed", &[lower, compress_numbers(&upper)].concat());
    let length = format!("/// Bytes of the weights when they are whole.\nconst WHOLE: usize = {};\n", file.len());
    write("bundled.rs", length.as_bytes());
}

/// Deflate without short matches. In numbers they are chance, and cost more than codes of frequent bytes gain.
fn compress_numbers(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![];
    let mut compressor = CompressorOxide::new(flags(9, 0, CompressionStrategy::Filtered as i32));
    compress_to_output(&mut compressor, bytes, TDEFLFlush::Finish, |part| {
        packed.extend_from_slice(part);
        true
    });
    packed
}

/// A shader without its header's comments. What a snippet takes and leaves stays, because the preprocessor reads it.
fn without_header(shader: &str) -> String {
    let is_read = |line: &str| ["// takes: ", "// leaves: "].iter().any(|begin| line.starts_with(begin));
    let stays = |line: &&str| !line.starts_with("//") || is_read(line);
    shader.lines().filter(stays).flat_map(|line| [line, "\n"]).collect()
}

/// The files in a folder, sorted.
fn files(folder: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(folder).expect("a folder of the repository").map(|entry| entry.expect("an entry").path());
    let files =
        entries.filter(|path| path.is_file()).map(|path| path.to_str().expect("a plain name").replace('\\', "/"));
    let mut files: Vec<String> = files.collect();
    files.sort();
    files
}
