//! `--save-tensors` over many photos: in bounded memory, with the rows of failed ones marked.

#[path = "common/place.rs"]
#[allow(dead_code)]
mod place;
#[path = "common/tiny.rs"]
mod tiny;
#[cfg(target_os = "linux")]
#[path = "common/watch.rs"]
#[allow(dead_code)]
mod watch;

use std::path::Path;

use safetensors::SafeTensors;
use serde_json::Value;

use place::{Place, worst};

fn photos(names: impl IntoIterator<Item = String>) -> Place {
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verify/goldens/picture.png");
    let (place, bytes) = (Place::with(&[]), std::fs::read(picture).unwrap());
    place.write("tiny.safetensors", tiny::file());
    names.into_iter().for_each(|name| place.write(&name, &bytes));
    place
}

/// The metadata of a file, each value read as JSON.
fn metadata(place: &Place, name: &str) -> impl Fn(&str) -> Value {
    let bytes = std::fs::read(place.path(name)).unwrap();
    let metadata = SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap();
    move |key: &str| metadata.get(key).map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

/// Ten times as many photos do not take more memory, neither for tensors nor for overlays. The tensors alone would be a
/// quarter of it.
#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow() {
    let place = photos((0..2000).map(|i| format!("{}/{i:04}.png", if i < 200 { "all/few" } else { "all/more" })));
    let [few, all] = ["all/few", "all"].map(|folder| {
        let args = format!("explain -m tiny.safetensors -b 8 -k 8 {folder} --save-tensors x.safetensors -o out");
        let child = place.command(&args).stdout(std::process::Stdio::null()).spawn().unwrap();
        let (status, peak) = watch::peak(child);
        assert!(status.success());
        peak
    });
    assert!(few > 10_000 && all * 10 <= few * 11, "{few} KiB for 200 photos, {all} KiB for 2000");
    let tensors = place.tensors("x.safetensors");
    assert_eq!(tensors["heatmap"].1, [2000, 8, 26, 26]);
    assert!(tensors["ok"].2.iter().all(|ok| *ok == 1.0));
    // All photos are equal, and so are their rows.
    let rows: Vec<&[f32]> = tensors["logits"].2.chunks(10).collect();
    assert!(rows.iter().all(|row| worst(row, rows[0]) < 1e-5) && rows[0].iter().any(|v| *v != 0.0));
}

/// The index tells which row is whose, and why one is missing.
#[test]
fn failed_photos_keep_their_rows() {
    let place = photos(["in/a.png", "in/c.png"].map(str::to_owned));
    place.write("in/b.png", "no picture");
    let (code, _, err) = place.run("explain -m tiny.safetensors -d cpu in --save-tensors x.safetensors -k 2");
    assert!(code == Some(2) && err.lines().count() == 2 && err.contains("1 of 3 images failed"), "{err}");
    let index = metadata(&place, "x.safetensors");
    assert_eq!(index("images"), serde_json::json!(["in/a.png", "in/b.png", "in/c.png"]));
    let failed = index("failed");
    assert!(failed.as_object().unwrap().len() == 1 && failed["1"].as_str().unwrap().starts_with("in/b.png: not a"));
    let tensors = place.tensors("x.safetensors");
    assert_eq!(tensors["ok"].2, [1.0, 0.0, 1.0]);
    assert_eq!(tensors["classes"].2[2..4], [-1.0, -1.0]);
    for (name, k) in [("logits", 10), ("cam", 2), ("heatmap", 2 * 26 * 26)] {
        let missing: Vec<bool> = tensors[name].2.iter().map(|v| v.is_nan()).collect();
        assert!((0..3 * k).all(|i| missing[i] == (i / k == 1)), "{name}: {:?}", tensors[name].1);
    }
    // If no photo can be explained there are no sizes, and no file.
    let (code, _, err) = place.run("explain -m tiny.safetensors -d cpu in/b.png --save-tensors y.safetensors");
    assert!(code == Some(2) && err.lines().count() == 1 && !place.path("y.safetensors").exists(), "{err}");
    assert!(place.files().keys().all(|name| !name.contains(".gradcam-")), "a temporary file is left behind");
}

/// An index that is too long for the header stands in a file of its own.
#[test]
fn a_long_index_stands_apart() {
    // The header's room is fixed once a photo is explained: here before any failed.
    let good = ["in/a.png", "in/b.png", "in/c.png"];
    let place = photos(good.map(str::to_owned));
    let bad: Vec<String> = (0..60).map(|i| format!("in/d{i:02}{}.png", "long".repeat(60))).collect();
    bad.iter().for_each(|name| place.write(name, "no picture"));
    assert_eq!(place.run("explain -m tiny.safetensors -d cpu in --save-tensors x.safetensors").0, Some(2));
    let bytes = std::fs::read(place.path("x.safetensors")).unwrap();
    let metadata = SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap();
    assert_eq!(metadata["index"], "x.index.jsonl");
    let lines = place::json(&std::fs::read_to_string(place.path("x.index.jsonl")).unwrap());
    let names = good.into_iter().chain(bad.iter().map(String::as_str));
    for (i, (line, name)) in lines.iter().zip(names).enumerate() {
        assert!(line["index"] == i && line["image"] == name && line["failed"].is_null() == (i < 3), "{line}");
    }
    assert_eq!(lines.len(), 63);
    assert_eq!(place.tensors("x.safetensors")["ok"].2.iter().sum::<f32>(), 3.0);
}

/// Several layers have no raw map in common.
#[test]
fn several_layers() {
    let place = photos(["a.png".to_owned()]);
    let layers = "-l features.7 -l features.12";
    place.does(&format!("explain -m tiny.safetensors -d cpu a.png {layers} --save-tensors x.safetensors"));
    let tensors = place.tensors("x.safetensors");
    assert_eq!(tensors.keys().collect::<Vec<_>>(), ["classes", "heatmap", "logits", "ok"]);
}

/// Places and endings are refused before anything is computed, and what to do is said.
#[test]
fn wrong_places() {
    let place = photos(["a.png", "b.png"].map(str::to_owned));
    place.write("file", "no folder");
    std::fs::create_dir(place.path("x.safetensors")).unwrap();
    let table = "
        explain a.png --save-tensors m.npy => m.npy|.safetensors|m.safetensors
        explain a.png --save-tensors m => m|.safetensors
        explain a.png --save-tensors x.safetensors => x.safetensors|folder
        explain a.png --save-tensors m.safetensors --skip-existing -o out => --skip-existing|--save-tensors
        explain a.png --model tiny.safetensors --save-tensors tiny.safetensors => tiny.safetensors|read
        explain a.png b.png -o file/out => file/out|cannot be written
        explain a.png -o run.v2 => run.v2|run.v2/
        explain a.png b.png -o x.jpg => x.jpg|name a folder
        explain a.png -o x.png --format jpg => x.png|--format
        explain a.png --json --caption => --caption|--output
        explain a.png --json -o - => --json|-
        explain a.png b.png -o - => -|one photo
        explain a.png -k 2 -o - => -|one map
        explain - a.png => -|standard input";
    place.refuses(2, table);
    for args in ["a.png -o run.v2/", "a.png -o run.v2", "a.png b.png -o run.v3"] {
        let (code, out, err) = place.run(&format!("explain -m tiny.safetensors -d cpu {args}"));
        assert!(code == Some(0) && err.is_empty() && out.contains(&args[args.find("run").unwrap()..]), "{out} {err}");
    }
}
