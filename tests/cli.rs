//! The program from a user's view: its output and its files. Every error is one line on stderr with the right exit
//! code, with nothing on stdout and no file left behind.

#[path = "common/place.rs"]
mod place;

use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage, imageops};
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::{Value, json};

use place::{PROGRAM, Place, example, json, worst};

const EXAMPLES: [&str; 3] = ["chelsea.png", "coffee.png", "rocket.jpg"];
/// The bundled model's most probable classes for the examples.
const TRUTH: [[(&str, f64); 3]; 3] = [
    [("tiger cat", 0.395), ("Egyptian cat", 0.355), ("tabby", 0.170)],
    [("espresso", 0.951), ("cup", 0.015), ("consomme", 0.008)],
    [("missile", 0.272), ("projectile", 0.189), ("drilling platform", 0.104)],
];

/// Successful runs: one JSON object per photo, in order, and overlays of the photos' sizes that are not blank. The
/// results are the same on the GPU and by the CPU reference.
#[test]
fn photos_are_explained() {
    let place = Place::with(&EXAMPLES);
    let probability = |found: &Value| found["probability"].as_f64().unwrap();
    let [gpu, cpu] = ["", "--device cpu"].map(|device| {
        let outputs = "--top 3 --json -o out --save-tensors t.safetensors";
        let lines = json(&place.does(&format!("explain chelsea.png coffee.png rocket.jpg {outputs} {device}")));
        assert_eq!(lines.len(), 3);
        for ((line, truth), name) in lines.iter().zip(TRUTH).zip(EXAMPLES) {
            let [predictions, maps] = ["predictions", "maps"].map(|list| line[list].as_array().unwrap());
            assert!(line["image"] == name && line["layer"] == "bn2", "{line}");
            assert_eq!([predictions.len(), maps.len()], [3, 3]);
            for ((label, truth), (found, map)) in truth.into_iter().zip(predictions.iter().zip(maps)) {
                assert!(found["label"] == label && (probability(found) - truth).abs() < 0.01, "{found}");
                assert_eq!((&map["label"], &map["status"]), (&found["label"], &json!("ok")));
                let overlay = place.picture(map["overlay"].as_str().unwrap());
                assert_eq!(overlay.dimensions(), place.picture(name).dimensions(), "{map}");
                assert!(worst(&overlay, &place.picture(name)) > 64.0, "{map} shows nothing");
            }
        }
        (lines, place.tensors("t.safetensors")["heatmap"].clone())
    });
    for (gpu, cpu) in gpu.0.iter().zip(&cpu.0) {
        for (a, b) in (0..3).map(|i| (&gpu["predictions"][i], &cpu["predictions"][i])) {
            assert!((probability(a) - probability(b)).abs() < 1e-3, "{a} {b}");
        }
        assert_eq!([gpu, cpu].map(|line| line["batch"]["stats"]["submissions"].as_u64()), [Some(1), Some(0)]);
    }
    assert_eq!(gpu.1.1, [3, 3, 224, 224]);
    assert!(worst(&gpu.1.2, &cpu.1.2) < 1e-3);
}

/// Batches must not change results, and a broken file must not affect the others.
#[test]
fn folders_and_batches() {
    let place = Place::with(&[]);
    EXAMPLES.iter().for_each(|name| place.write(&format!("in/{name}"), example(name)));
    let [(pictures, tensors), others @ ..] = ["1", "2", "4"].map(|batch| {
        let outputs = format!("--json -o {batch} --save-tensors {batch}.safetensors");
        let lines = json(&place.does(&format!("explain in {outputs} --batch {batch}")));
        assert!(lines.iter().map(|l| l["image"].as_str().unwrap()).eq(EXAMPLES.map(|name| format!("in/{name}"))));
        let pictures = ["chelsea", "coffee", "rocket"].map(|stem| place.picture(format!("{batch}/{stem}.png")));
        (pictures, place.tensors(&format!("{batch}.safetensors")))
    });
    for (other_pictures, other_tensors) in others {
        assert!(pictures.iter().zip(&other_pictures).all(|(a, b)| worst(a, b) <= 1.0));
        assert!(tensors.iter().all(|(name, (_, _, values))| worst(values, &other_tensors[name].2) < 1e-5));
    }
    place.write("in/d-broken.png", &example("chelsea.png")[..9000]);
    let (code, out, err) = place.run("explain in -o rest --save-tensors rest.safetensors --batch 2");
    assert!(code == Some(2) && err.lines().count() == 2 && err.contains("d-broken.png"), "{code:?} {err}");
    let rest: Vec<String> = place.files().into_keys().filter(|f| f.starts_with("rest/")).collect();
    assert_eq!(rest, ["rest/chelsea.png", "rest/coffee.png", "rest/rocket.png"], "{out}");
    // The broken file's row stands between those of the others, which have the numbers they had without it.
    let rest = place.tensors("rest.safetensors");
    assert_eq!(rest["ok"].2, [1.0, 1.0, 0.0, 1.0]);
    for (name, (_, shape, values)) in &rest {
        let row = values.len() / shape[0];
        assert!(name == "ok" || values[2 * row..3 * row].iter().all(|v| v.is_nan() || *v == -1.0), "{name}");
        let others = [&values[..2 * row], &values[3 * row..]].concat();
        assert!(worst(&others, &tensors[name].2) < 1e-5, "{name}");
    }
}

/// The files that a request writes. Without `--output` they go to the current folder, with a marked name.
#[test]
fn names_of_overlays() {
    for (args, expected) in [
        ("rocket.jpg", &["rocket.gradcam.png"][..]),
        ("rocket.jpg --json", &[]),
        ("rocket.jpg -o x.png", &["x.png"]),
        ("rocket.jpg -o new/deep/x.PNG", &["new/deep/x.PNG"]),
        ("rocket.jpg -o out", &["out/rocket.png"]),
        ("rocket.jpg -o out.d/", &["out.d/rocket.png"]),
        ("rocket.jpg --top 2", &["rocket.gradcam-1-missile.png", "rocket.gradcam-2-projectile.png"]),
        ("rocket.jpg --top 3 -o x.png", &["x-1-missile.png", "x-2-projectile.png", "x-3-drilling-platform.png"]),
        ("rocket.jpg --class 744 --class MISSILE -o out", &["out/rocket-1-projectile.png", "out/rocket-2-missile.png"]),
        ("rocket.jpg --class Drilling~PLATFORM -o x.png", &["x.png"]),
        ("rocket.jpg rocket.png -o out", &["out/rocket.png", "out/rocket.png.png"]),
        ("rocket.jpg rocket.png", &["rocket.gradcam.png", "rocket.png.gradcam.png"]),
    ] {
        let place = Place::with(&["rocket.jpg"]);
        place.write("rocket.png", example("chelsea.png"));
        let (before, out) = (place.files(), place.does(&format!("explain {args}")));
        let written: Vec<String> = place.files().into_keys().filter(|f| !before.contains_key(f)).collect();
        assert_eq!(written, expected, "{args}");
        assert!(written.iter().all(|f| out.contains(f)), "{args}: {out}");
    }
}

/// A picture with different colours everywhere.
fn base(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(240 * x / width) as u8, (240 * y / height) as u8, 128])).into()
}

fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = vec![];
    picture.into().write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

/// A JPEG with EXIF data after its start-of-image marker.
fn with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    let length = (exif.len() as u16 + 8).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, b"Exif\0\0", exif, &jpeg[2..]].concat()
}

/// Every kind of picture is decoded to the right colours, and upright. At `--alpha 0` the overlay equals the photo.
#[test]
fn kinds_of_pictures() {
    let photo = base(60, 40);
    let [rgb, grey] = [photo.to_rgb8(), DynamicImage::from(photo.to_luma8()).into_rgb8()];
    let faded = RgbaImage::from_fn(60, 40, |x, y| Rgba([rgb[(x, y)][0], rgb[(x, y)][1], 128, 99 + x as u8]));
    let faded = DynamicImage::from(faded);
    let stripes = [[250, 10, 20], [30, 240, 50], [60, 70, 230]];
    let stripes = RgbImage::from_fn(60, 40, |x, _| Rgb(stripes[x as usize % 3]));
    let jpeg = encode(rgb.clone(), Jpeg);
    let turned = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let cases = [
        ("grey.png", encode(photo.to_luma8(), Png), &grey, 0.0),
        ("grey-alpha.png", encode(faded.to_luma_alpha8(), Png), &grey, 0.0),
        ("sixteen.png", encode(photo.to_rgb16(), Png), &rgb, 0.0),
        ("rgba.png", encode(faded, Png), &rgb, 0.0),
        ("palette.png", include_bytes!("data/palette.png").to_vec(), &stripes, 0.0),
        ("cmyk.jpg", include_bytes!("data/cmyk.jpg").to_vec(), &rgb, 8.0),
        ("turned.jpg", with_exif(&jpeg, turned), &imageops::rotate90(&rgb), 16.0),
        // Some cameras append a video.
        ("appended.jpg", [jpeg, vec![0; 500]].concat(), &rgb, 16.0),
        ("misnamed.jpg", encode(rgb.clone(), Png), &rgb, 0.0),
        ("wide.png", encode(base(2000, 10), Png), &base(2000, 10).into_rgb8(), 0.0),
        ("tall.png", encode(base(10, 2000), Png), &base(10, 2000).into_rgb8(), 0.0),
        ("a.bmp", encode(rgb.clone(), Bmp), &rgb, 0.0),
        ("b.gif", encode(DynamicImage::from(stripes.clone()).into_rgba8(), Gif), &stripes, 8.0),
        ("c.tiff", encode(rgb.clone(), Tiff), &rgb, 0.0),
        ("d.webp", encode(rgb.clone(), WebP), &rgb, 0.0),
    ];
    let place = Place::with(&[]);
    cases.iter().for_each(|(name, bytes, ..)| place.write(&format!("in/{name}"), bytes));
    assert_eq!(json(&place.does("explain in --alpha 0 --json -o out")).len(), cases.len());
    for (name, _, expected, tolerance) in cases {
        let found = place.picture(Path::new("out").join(name).with_extension("png"));
        assert_eq!(found.dimensions(), expected.dimensions(), "{name}");
        assert!(worst(&found, expected) <= tolerance, "{name}: off by {}", worst(&found, expected));
    }
}

/// Broken pictures are named. A decoder that fills in missing parts would let the network explain grey.
#[test]
fn broken_pictures() {
    let place = Place::with(&[]);
    // 4.8 GB of pixels.
    let header = b"\0\0\0\x0dIHDR\0\0\x9c@\0\0\x9c@\x08\x02\0\0\0\xden\x99R";
    let pixels = b"\0\0\0\x0bIDATx\x9cc`\x80\x02\0\0\x09\0\x01\xfbR\xb8\xa9";
    place.write("bomb.png", [b"\x89PNG\r\n\x1a\n", &header[..], pixels].concat());
    let start = Instant::now();
    place.refuses(2, "explain bomb.png --device cpu => bomb.png|40000×40000");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    if cfg!(target_os = "linux") {
        let limited = r#"ulimit -v 1000000; exec "$0" explain bomb.png --device cpu"#;
        let run = Command::new("sh").args(["-c", limited, PROGRAM]).current_dir(&place.0).output().unwrap();
        let err = String::from_utf8(run.stderr).unwrap();
        assert!(run.status.code() == Some(2) && err.contains("40000×40000"), "{}: {err}", run.status);
    }

    let mut table = String::from("explain missing.jpg => missing.jpg|cannot be read\n");
    let mut add = |name: &str, bytes: &[u8], words: &str| {
        place.write(name, bytes);
        table += &format!("explain {name} -o out/ --json => {name}|{words}\n");
    };
    for name in ["rocket.jpg", "chelsea.png"] {
        let whole = example(name);
        for end in [whole.len() / 10, whole.len() / 2, whole.len() * 9 / 10, whole.len() - 1000] {
            add(&format!("{end}-{name}"), &whole[..end], "decode");
        }
    }
    // The end marker of a thumbnail is not that of the photo.
    add("thumbnail.jpg", &with_exif(&example("rocket.jpg"), &encode(base(16, 8), Jpeg))[..50_000], "decode");
    add("text.jpg", b"This is a text.\n", "PNG, JPEG");
    add("empty.jpg", b"", "PNG, JPEG");
    add("one.png", &encode(base(1, 1), Png), "1×1|8");
    place.refuses(2, &table);
}

/// For unknown names the error gives similar ones, and the command that lists them all.
#[test]
fn wrong_requests() {
    let place = Place::with(&["rocket.jpg", "coffee.png"]);
    std::fs::create_dir(place.path("hollow")).unwrap();
    let table = "
        explain => photos
        explain hollow => hollow|no pictures
        explian rocket.jpg => explian|explain
        explain rocket.jpg --colour => --colour
        explain rocket.jpg --layer conv_hed => 'conv_hed'|conv_head|gradcam layers
        explain rocket.jpg --layer classifier => 'classifier'|choose
        explain rocket.jpg --class tabbi => 'tabbi'|tabby|gradcam models --labels
        explain rocket.jpg --class Missle => 'Missle'|missile
        explain rocket.jpg --class 1000 => 1000|0 to 999
        explain rocket.jpg --class=-1 => '-1'|gradcam models --labels
        explain rocket.jpg --class tabby --top 2 => --class|--top
        explain rocket.jpg --method gradcamm => 'gradcamm'|gradcam?
        explain rocket.jpg --device riva128 => 'riva128'|gradcam devices
        explain rocket.jpg --device 77 => '77'|gradcam devices
        explain rocket.jpg --model efficientnet_lite => 'efficientnet_lite'|efficientnet_lite0?|gradcam models
        explain rocket.jpg --model away.safetensors => away.safetensors|cannot be read
        explain rocket.jpg --model coffee.png => coffee.png|not a whole safetensors file
        explain rocket.jpg --top 0 => --top|1..=1000
        explain rocket.jpg --alpha 2 => --alpha|0 and 1
        explain rocket.jpg --alpha much => --alpha|much
        explain rocket.jpg --colormap rainbow => 'rainbow'|gradcam explain --help
        explain rocket.jpg -o x.tiff => x.tiff|.png
        explain rocket.jpg coffee.png -o x.png => x.png|folder
        explain rocket.jpg --tensors x.safetensors => --tensors";
    place.refuses(2, table);
}

/// No way to write an output path may overwrite a photo. Paths that cannot be written are named: below a file, where
/// a folder exists, in a read-only folder.
#[test]
fn wrong_places() {
    let place = Place::with(&["rocket.jpg"]);
    place.write("self.png", example("chelsea.png"));
    place.write("sub/other.png", example("coffee.png"));
    place.write("rocket.gradcam.png/inside", "a file in a folder of the overlay's name");
    let table = "
        explain self.png -o self.png => self.png|--output
        explain self.png -o ./sub/../self.png => self.png
        explain rocket.jpg => rocket.gradcam.png
        explain rocket.jpg -o self.png/ => self.png|another place
        explain rocket.jpg self.png -o rocket.jpg => rocket.jpg|name a folder
        explain rocket.jpg -o self.png/x.png --json => self.png|another place
        explain rocket.jpg -o self.png/deep/out => self.png/deep/out|another place
        explain rocket.jpg --save-tensors self.png/x.safetensors => self.png/x.safetensors|another place
        explain rocket.jpg --save-tensors away/x.safetensors => away/x.safetensors|another place
        explain missing.jpg --save-tensors x.safetensors => missing.jpg
        explain sub/other.png --save-tensors sub/other.png => sub/other.png";
    let on_linux = "
        explain self.png -o link.png => link.png
        explain link.png -o self.png => self.png
        explain rocket.jpg -o /proc/nope => /proc/nope|another place
        explain rocket.jpg -o /proc/nope.png --json => /proc/nope.png|another place
        explain rocket.jpg --save-tensors /proc/nope.safetensors => /proc/nope.safetensors|another place";
    #[cfg(target_os = "linux")]
    std::os::unix::fs::symlink("self.png", place.path("link.png")).unwrap();
    place.refuses(2, &[table, if cfg!(target_os = "linux") { on_linux } else { "" }].concat());
    let before = place.files();
    let out = place.does("explain self.png sub/other.png -o .") + &place.does("explain sub -o sub");
    let after = place.files();
    assert!(before.iter().all(|(name, about)| after[name] == *about), "{out}");
    assert_eq!(after.len(), before.len() + 3, "{out}");
}

/// Without drivers the program says what to install, as an error of the machine, and `--device cpu` still works.
#[test]
fn no_adapter() {
    let place = Place(Place::with(&["rocket.jpg"]).0, false);
    place.refuses(1, "explain rocket.jpg --backend vulkan => Vulkan|driver|--device cpu");
    if cfg!(target_os = "linux") {
        let table = "
            explain rocket.jpg => adapter|driver|--device cpu
            explain rocket.jpg --device 0 => adapter|driver|--device cpu
            explain rocket.jpg --backend metal => Metal|driver|--device cpu";
        place.refuses(1, table);
        assert_eq!(place.does("devices --json"), "[]\n");
    }
    assert!(place.does("explain rocket.jpg --device cpu").contains("missile"));
}

static ZEROS: [u8; 1 << 18] = [0; 1 << 18];

/// A safetensors file. Each tensor takes as many of its bytes as its shape needs.
fn safetensors(tensors: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
    let views = tensors.iter().map(|&(name, dtype, shape, data)| {
        let length = shape.iter().product::<usize>() * dtype.bitsize() / 8;
        (name, TensorView::new(dtype, shape.to_vec(), &data[..length]).unwrap())
    });
    serialize(views, None).unwrap()
}

/// The same image as photo and as tensor gives the same numbers. Classes are chosen per image.
#[test]
fn tensors_in_and_out() {
    let place = Place::with(&[]);
    let mut values = vec![];
    for (name, copy) in [("rocket.jpg", "a.png"), ("chelsea.png", "b.png")] {
        // Of photos of this size, the network sees the unscaled centre. Mean and deviation are the model's.
        let photo = image::load_from_memory(&example(name)).unwrap().crop_imm(150, 20, 256, 256).into_rgb8();
        let pixel = |i: u32| photo[(16 + i % 224, 16 + i / 224 % 224)][i as usize / (224 * 224)];
        values.extend((0..3 * 224 * 224).map(|i| (f32::from(pixel(i)) - 127.0) / 128.0));
        place.write(copy, encode(photo, Png));
    }
    let input = ("input", Dtype::F32, &[2, 3, 224, 224][..], bytemuck::cast_slice(&values));
    let classes = bytemuck::cast_slice(&[281_i64, 657, 744, 282]);
    place.write("two.safetensors", safetensors(&[input, ("classes", Dtype::I64, &[2, 2], classes)]));
    place.write("one.safetensors", safetensors(&[input, ("classes", Dtype::I64, &[2], classes)]));
    place.write("free.safetensors", safetensors(&[("input", Dtype::F32, &[1, 3, 160, 96], input.3)]));
    let explain = |args: &str, [n, k, h, w, height, width]: [usize; 6]| {
        place.does(&format!("explain {args} --save-tensors out.safetensors"));
        let tensors = place.tensors("out.safetensors");
        let found: Vec<_> = tensors.iter().map(|(name, (dtype, shape, _))| (&**name, *dtype, &shape[..])).collect();
        let ok = ("ok", Dtype::U8, &[n][..]);
        let [cam, heatmap] = [("cam", Dtype::F32, &[n, k, h, w][..]), ("heatmap", Dtype::F32, &[n, k, height, width])];
        let (classes, logits) = (("classes", Dtype::I64, &[n, k][..]), ("logits", Dtype::F32, &[n, 1000][..]));
        assert_eq!(found, [cam, classes, heatmap, logits, ok], "{args}");
        for map in tensors["heatmap"].2.chunks(height * width) {
            assert!(map.iter().all(|v| (0.0..=1.0).contains(v)) && map.iter().any(|v| *v > 0.9), "{args}");
        }
        tensors
    };
    explain("--tensors one.safetensors --batch 2", [2, 1, 7, 7, 224, 224]);
    explain("--tensors free.safetensors --top 3", [1, 3, 5, 3, 160, 96]);
    explain("a.png --layer blocks.2", [1, 1, 28, 28, 224, 224]);
    let photos = explain("a.png b.png --class 281 --class 657", [2, 2, 7, 7, 224, 224]);
    let tensors = explain("--tensors two.safetensors", [2, 2, 7, 7, 224, 224]);
    assert_eq!(tensors["classes"].2, [281.0, 657.0, 744.0, 282.0]);
    assert!(worst(&tensors["logits"].2, &photos["logits"].2) < 1e-3);
    for name in ["cam", "heatmap"] {
        // The first image has the same classes in both runs, the second has not.
        let halves = [&photos, &tensors].map(|t| t[name].2.split_at(t[name].2.len() / 2));
        assert!(worst(halves[0].0, halves[1].0) < 1e-3 && worst(halves[0].1, halves[1].1) > 0.05, "{name}");
    }
}

/// Tensor files are checked before anything is computed.
#[test]
fn wrong_tensors() {
    let place = Place::with(&[]);
    let input = |name, dtype, shape| safetensors(&[(name, dtype, shape, &ZEROS)]);
    let images = ("input", Dtype::F32, &[2, 3, 64, 64][..], &ZEROS[..]);
    let classes = |dtype, shape, classes: &[u8]| safetensors(&[images, ("classes", dtype, shape, classes)]);
    let nan = [&f32::NAN.to_le_bytes(), &ZEROS[..]].concat();
    let mut table = String::from("explain --tensors away.safetensors => away.safetensors|cannot be read\n");
    for (name, bytes, words) in [
        ("nameless", input("image", Dtype::F32, &[1, 3, 64, 64]), "\"input\""),
        ("integers", input("input", Dtype::I32, &[2, 3, 64, 64]), "I32"),
        ("flat", input("input", Dtype::F32, &[64, 64]), "[64, 64]"),
        ("nan", safetensors(&[("input", Dtype::F32, images.2, &nan)]), "NaN"),
        ("floats", classes(Dtype::F32, &[2], &ZEROS), "classes|F32"),
        ("three", classes(Dtype::I64, &[3], &ZEROS), "classes|[3]"),
        ("none", classes(Dtype::I64, &[2, 0], &ZEROS), "classes|[2, 0]"),
        ("below", classes(Dtype::I64, &[2], bytemuck::cast_slice(&[5_i64, -1])), "classes|-1"),
        ("beyond", classes(Dtype::I64, &[2], bytemuck::cast_slice(&[5_i64, 1000])), "1000|999"),
        ("cut", safetensors(&[images])[..50_000].to_vec(), "whole"),
    ] {
        place.write(&format!("{name}.safetensors"), bytes);
        table += &format!("explain --tensors {name}.safetensors --save-tensors out => {name}.safetensors|{words}\n");
    }
    place.refuses(2, &table);
}

/// The listings that the errors' hints refer to, as text and as JSON. Every listed name can be used.
#[test]
fn listings() {
    let place = Place::with(&["rocket.jpg"]);
    for command in ["explain", "layers", "models", "devices", "completions", "man"] {
        let (help, of_command) = (place.does("--help"), place.does(&format!("{command} --help")));
        assert!(help.contains(&format!("\n  {command} ")) && help.contains("Exit codes"), "{help}");
        assert!(of_command.contains(&format!("Usage: gradcam {command}")), "{of_command}");
    }
    let list = |command: &str| {
        let array = json(&place.does(&format!("{command} --json"))).remove(0);
        (place.does(command), array.as_array().cloned().unwrap_or(vec![array]))
    };
    let (text, layers) = list("layers");
    let default = json!({"layer": "bn2", "shape": [1280, 7, 7], "default": true});
    assert!(layers.iter().filter(|l| l["default"] == true).eq([&default]), "{layers:?}");
    assert!(text.lines().map(|l| l.split(' ').next()).eq(layers.iter().map(|l| l["layer"].as_str())), "{text}");
    assert!(text.lines().any(|l| l.starts_with("bn2 ") && l.ends_with("1280 × 7 × 7  (default)")), "{text}");

    let (text, labels) = list("models --labels");
    let lines = labels.iter().enumerate().map(|(i, l)| format!("{i:>5}  {}", l.as_str().unwrap()));
    assert!(text.lines().eq(lines) && labels.len() == 1000 && labels[281] == "tabby", "{text}");
    let (text, models) = list("models");
    assert!(text.starts_with("efficientnet_lite0  bundled") && models[0]["bundled"] == json!(["efficientnet_lite0"]));
    let architectures = models[0]["architectures"].as_array().unwrap();
    let lite0 = architectures.iter().find(|a| a["name"] == "tf_efficientnet_lite0");
    assert_eq!(lite0.map(|a| &a["default_layer"]), Some(&json!("bn2")));
    let named = |a: &Value| text.lines().any(|l| l.split(' ').next() == a["name"].as_str());
    assert!(architectures.iter().all(named), "{text}");
    let (text, devices) = list("devices");
    // A line that names an adapter is followed by two lines about it.
    assert!(!devices.is_empty() && text.lines().count() == 3 * devices.len() + 1 && text.contains("\ncpu "), "{text}");
    for (i, device) in devices.iter().enumerate() {
        let name = device["name"].as_str().unwrap();
        assert!(text.lines().nth(3 * i).unwrap().starts_with(&format!("{i:>3}  {name} (")), "{text}");
        let mib = device["max_binding"].as_u64().unwrap() >> 20;
        assert!(text.lines().nth(3 * i + 2).unwrap().contains(&format!("{mib} MiB")), "{text}");
        for wanted in [i.to_string(), name.to_uppercase().replace(' ', "~")] {
            assert!(place.does(&format!("explain rocket.jpg --device {wanted}")).contains("missile"), "{wanted}");
        }
    }
}

/// A model's weights as a file that says what they are: it explains as the model does.
#[test]
fn exported_weights() {
    let place = Place::with(&["rocket.jpg"]);
    let listed = place.does("layers --export-safetensors copy.safetensors");
    assert_eq!(listed, place.does("layers --model copy.safetensors"));
    let results = ["", "--model copy.safetensors"]
        .map(|model| json(&place.does(&format!("explain rocket.jpg --json {model}")))[0]["predictions"].clone());
    assert_eq!(results[0], results[1]);
    place.refuses(2, "layers --model copy.safetensors --export-safetensors ./copy.safetensors => is the model itself");
    place.refuses(2, "layers --export-safetensors nowhere/copy.safetensors => nowhere/copy.safetensors");
}

/// A reader of stdout may stop at any time. This is not an error, and files are still written.
#[test]
fn broken_pipes() {
    let place = Place::with(&["rocket.jpg", "chelsea.png"]);
    let listings = ["models --labels", "models --json", "layers", "devices", "--help"];
    let explain = ["explain rocket.jpg chelsea.png -o out", "explain rocket.jpg chelsea.png -o json --json"];
    for args in listings.into_iter().chain(explain) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = place.command(args).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let run = run.wait_with_output().unwrap();
        assert!(run.status.code() == Some(0) && run.stderr.is_empty(), "{args}: {run:?}");
    }
    let files = place.files();
    let pictures = ["json/chelsea.png", "json/rocket.png", "out/chelsea.png", "out/rocket.png"];
    assert_eq!(pictures.map(|f| files.contains_key(f)), [true; 4], "{:?}", files.keys());
}
