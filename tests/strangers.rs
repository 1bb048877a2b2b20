//! Weights files from strangers: no content of a file may crash the program, pass unnoticed, or command the terminal.

#[path = "common/place.rs"]
#[allow(dead_code)]
mod place;

use place::Place;

const WHOLE: &[u8] = include_bytes!("../weights/efficientnet_lite0.safetensors");

/// Header and tensors of the bundled model's file.
fn parts() -> (&'static [u8], &'static [u8]) {
    WHOLE[8..].split_at(u64::from_le_bytes(WHOLE[..8].try_into().unwrap()) as usize)
}

fn header() -> &'static str {
    std::str::from_utf8(parts().0).unwrap()
}

/// The file with another header.
fn with_header(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes(), parts().1].concat()
}

/// Names and labels from files cannot command the terminal.
#[test]
fn texts_from_files_are_harmless() {
    let place = Place::with(&["rocket.jpg"]);
    let header = header();
    let clears = "\\u001b[2J\\u009b2J";
    let long = "a".repeat(5000);
    place.write("arch.safetensors", with_header(&header.replace("tf_efficientnet_lite0", &format!("{clears}{long}"))));
    place.write("tensor.safetensors", with_header(&header.replace("conv_stem.weight", clears)));
    let obeyed = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
    for model in ["arch", "tensor"] {
        let (code, out, err) = place.run(&format!("explain rocket.jpg --model {model}.safetensors"));
        assert!(code == Some(2) && !obeyed(&out) && !obeyed(&err), "{model}: {out:?} {err:?}");
        assert!(err.contains("\\u{1b}[2J\\u{9b}2J") && err.len() < 2500, "{model}: {err:?}");
    }
    let labels = format!("[{}\"last\"]", format!("\"missile{clears}{long}\",").repeat(999));
    place.write("model/config.json", format!("{{\"label_names\": {labels}}}"));
    place.write("model/lite0.safetensors", WHOLE);
    for arguments in ["explain rocket.jpg", "explain rocket.jpg --json", "models --labels", "models --labels --json"] {
        let (code, out, err) = place.run(&format!("{arguments} --model model/lite0.safetensors"));
        assert!(code == Some(0) && out.contains("missile") && !obeyed(&out) && !obeyed(&err), "{arguments}");
        assert!(arguments.contains("json") || out.lines().all(|line| line.len() < 300), "{arguments}");
    }
}

/// Weights may come from strangers: no content of a file may crash the program or pass unnoticed.
#[test]
fn broken_weights() {
    let place = Place::with(&["rocket.jpg"]);
    let header = header();
    let with_length = |length: u64| [&length.to_le_bytes(), &WHOLE[8..4096]].concat();
    let mut nan = WHOLE.to_vec();
    nan[8 + header.len() + 6_007_120..][..2].copy_from_slice(&[0, 0x7e]);
    let damaged = "not a whole safetensors file";
    let mut files = vec![
        ("nan", nan, "classifier.weight|NaN"),
        ("cut", WHOLE[..WHOLE.len() / 2].to_vec(), damaged),
        ("empty", vec![], damaged),
        ("length-most", with_length(u64::MAX), damaged),
        ("length-mega", with_length(50 << 20), damaged),
        ("deep", with_header(&"[".repeat(100_000)), damaged),
    ];
    let bias = "[6005120,6007120]";
    for (name, from, to, words) in [
        ("reversed", bias, "[6007120,6005120]", damaged),
        ("overlap", bias, "[6003120,6005120]", damaged),
        ("beyond", bias, "[1000000000000,1000000002000]", damaged),
        ("elements", "[1000]", "[4611686018427387904,16]", damaged),
        ("shape", "[1000,1280]", "[1280,1000]", "classifier.weight|[1280, 1000]|bias"),
        ("missing", "conv_stem.weight", "other.weight", "missing: conv_stem.weight|unexpected: other.weight"),
        ("alien", "tf_efficientnet_lite0", "tf_efficientnet_lite9", "lite9|lite0"),
    ] {
        assert!(header.contains(from), "{name}");
        files.push((name, with_header(&header.replacen(from, to, 1)), words));
    }
    place.write("nameless.safetensors", with_header(&header.replace("architecture", "arch")));
    let mut table = format!("models --labels --model cut.safetensors => cut.safetensors|{damaged}\n");
    table += "explain rocket.jpg --model nameless.safetensors --arch resnet18 => nameless.safetensors|resnet18|conv1\n";
    for (name, bytes, words) in files {
        place.write(&format!("{name}.safetensors"), bytes);
        table += &format!("explain rocket.jpg --model {name}.safetensors -o out/ => {name}.safetensors|{words}\n");
    }
    place.refuses(2, &table);
    // Its tensors leave two architectures.
    assert!(
        place.does("explain rocket.jpg --model nameless.safetensors --arch tf_efficientnet_lite0").contains("missile")
    );
}
