//! Normalised images in the forms that people save them in.

#[path = "common/place.rs"]
#[allow(dead_code)]
mod place;
#[path = "common/tiny.rs"]
mod tiny;

use half::{bf16, f16};
use place::Place;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

/// Numbers that half precision has too.
fn values() -> Vec<f32> {
    (0..3 * 26 * 26).map(|i| (i * 37 % 64) as f32 / 16.0 - 2.0).collect()
}

fn bytes<const N: usize>(of: impl Fn(f32) -> [u8; N]) -> Vec<u8> {
    values().into_iter().flat_map(of).collect()
}

fn file(tensors: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| (name.to_string(), TensorView::new(*dtype, shape.to_vec(), bytes).unwrap()));
    serialize(views, None).unwrap()
}

/// An array as `numpy.save` writes it.
fn npy(version: u8, descr: &str, shape: &str, numbers: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    header += &" ".repeat((64 - (header.len() + 11) % 64) % 64);
    header.push('\n');
    let length = (header.len() as u32).to_le_bytes();
    let length = if version == 1 { &length[..2] } else { &length };
    [b"\x93NUMPY", &[version, 0][..], length, header.as_bytes(), numbers].concat()
}

#[test]
fn every_form_gives_the_same() {
    let place = Place::with(&[]);
    place.write("tiny.safetensors", tiny::file());
    let (single, shape) = (bytes(f32::to_le_bytes), &[1, 3, 26, 26][..]);
    let double = bytes(|v| f64::from(v).to_le_bytes());
    let class = |dtype, bytes: &[u8]| file(&[("input", Dtype::F32, shape, &single), ("classes", dtype, &[1], bytes)]);
    for (name, content) in [
        ("f32.safetensors", file(&[("input", Dtype::F32, shape, &single)])),
        ("f64.safetensors", file(&[("input", Dtype::F64, shape, &double)])),
        ("f16.safetensors", file(&[("input", Dtype::F16, shape, &bytes(|v| f16::from_f32(v).to_le_bytes()))])),
        ("bf16.safetensors", file(&[("input", Dtype::BF16, shape, &bytes(|v| bf16::from_f32(v).to_le_bytes()))])),
        ("one.safetensors", file(&[("pixel_values", Dtype::F32, &shape[1..], &single)])),
        ("i64.safetensors", class(Dtype::I64, &3_i64.to_le_bytes())),
        ("i32.safetensors", class(Dtype::I32, &3_i32.to_le_bytes())),
        ("f32.npy", npy(1, "<f4", "(1, 3, 26, 26)", &single)),
        ("f64.npy", npy(2, "<f8", "(3, 26, 26)", &double)),
    ] {
        place.write(name, content);
        let class = if name.starts_with('i') { "" } else { "--class 3" };
        place.does(&format!(
            "explain --tensors {name} -m tiny.safetensors {class} --device cpu --save-tensors out.safetensors"
        ));
        let saved = std::fs::read(place.path("out.safetensors")).unwrap();
        let saved = SafeTensors::deserialize(&saved).unwrap();
        let heatmap = saved.tensor("heatmap").unwrap().data().to_vec();
        if name == "f32.safetensors" {
            place.write("truth", heatmap);
        } else {
            assert!(std::fs::read(place.path("truth")).unwrap() == heatmap, "{name}");
        }
    }
}

#[test]
fn wrong_arrays() {
    let place = Place::with(&[]);
    place.write("tiny.safetensors", tiny::file());
    let single = bytes(f32::to_le_bytes);
    let mut fortran = npy(1, "<f4", "(1, 3, 26, 26)", &single);
    let at = fortran.windows(5).position(|word| word == b"False").unwrap();
    fortran[at..at + 5].copy_from_slice(b"True ");
    place.write("cut.npy", &npy(1, "<f4", "(1, 3, 26, 26)", &single)[..500]);
    place.write("integers.npy", npy(1, "|u1", "(1, 3, 26, 26)", &[0; 3 * 26 * 26]));
    place.write("huge.npy", npy(1, "<f4", "(4611686018427387904, 3, 26, 26)", &single));
    place.write("last.npy", npy(1, "<f4", "(1, 26, 26, 3)", &single));
    place.write("fortran.npy", fortran);
    place.refuses(
        2,
        "explain -m tiny.safetensors --tensors cut.npy => cut.npy|not a whole NumPy array
         explain -m tiny.safetensors --tensors integers.npy => integers.npy|u1|float32
         explain -m tiny.safetensors --tensors huge.npy => huge.npy|not a whole NumPy array
         explain -m tiny.safetensors --tensors last.npy => last.npy|[1, 26, 26, 3]|[n, 3, height, width]
         explain -m tiny.safetensors --tensors fortran.npy => fortran.npy|column-major",
    );
}
