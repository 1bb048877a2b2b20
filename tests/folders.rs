//! Folders as they are: nested, full of other files, resumed, and with items that fail.

#[path = "common/place.rs"]
#[allow(dead_code)]
mod place;
#[path = "common/tiny.rs"]
mod tiny;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use place::{Place, example, json};

/// A folder with the tiny network, and copies of a small picture under these names.
fn photos(names: &[&str]) -> Place {
    let place = Place::with(&[]);
    place.write("tiny.safetensors", tiny::file());
    names.iter().for_each(|name| place.write(name, picture()));
    place
}

fn picture() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/verify/goldens/picture.png")).unwrap()
}

/// Exit code, stdout and stderr of a run with the tiny network, without a driver.
fn explain(place: &Place, args: &str) -> (Option<i32>, String, String) {
    place.run(&format!("explain --model tiny.safetensors --device cpu {args}"))
}

fn below(place: &Place, folder: &str) -> Vec<String> {
    let names = place.files().into_keys();
    names.filter_map(|name| name.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned)).collect()
}

/// Sub-folders are kept, and what is no photo is counted by kind in one line.
#[test]
fn folders_keep_their_shape() {
    let place = photos(&["in/b/001.jpg", "in/a/deep/001.png", "in/a.png"]);
    for other in ["in/a/._001.png", "in/.hidden/x.png", "in/__MACOSX/x.png", "in/a/@eaDir/x.png", "in/Thumbs.db"] {
        place.write(other, picture());
    }
    ["in/a.HEIC", "in/b/b.heic", "in/notes.txt", "in/README"].iter().for_each(|name| place.write(name, "x"));
    let (code, out, err) = explain(&place, "in -o out");
    assert_eq!(below(&place, "out"), ["a.png", "a/deep/001.png", "b/001.png"], "{out}");
    let listed: Vec<&str> = out.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(listed, ["in/a/deep/001.png", "in/a.png", "in/b/001.jpg"]);
    let said = "gradcam: left out of in: 2 HEIC, 1 text file, 1 file without ending, 5 hidden\n";
    assert_eq!((code, &*err), (Some(0), said));
    for (folder, words) in [("in/__MACOSX", ""), ("hollow", "it holds nothing"), ("other", "1 HEIC, 1 MOV, 1 hidden")] {
        let names = ["a.heic", "a.mov", ".x"].map(|name| format!("{folder}/{name}"));
        std::fs::create_dir_all(place.path(folder)).unwrap();
        names.iter().filter(|_| folder == "other").for_each(|name| place.write(name, "x"));
        let (code, out, err) = explain(&place, &format!("{folder} -o none"));
        match words {
            // A folder that is named is read, whatever its name.
            "" => assert!(code == Some(0) && out.contains("in/__MACOSX/x.png"), "{out} {err}"),
            _ => {
                assert!(code == Some(2) && out.is_empty() && err.lines().count() == 1, "{err}");
                assert!(err.contains(&format!("{folder}: no pictures")) && err.contains(words), "{err}");
            }
        }
    }
    // One of several folders without pictures does not stop the others.
    let (code, out, err) = explain(&place, "hollow in/b -o two");
    assert!(code == Some(2) && err.contains("hollow: no pictures") && out.contains("001.jpg"), "{out} {err}");
    assert_eq!(below(&place, "two"), ["b/001.png"]);
}

/// Links to folders are followed once. Links that lead nowhere are reported, pipes are left out.
#[test]
#[cfg(unix)]
fn links_and_pipes() {
    use std::os::unix::fs::symlink;
    let place = photos(&["in/z/001.png", "elsewhere/002.png"]);
    for (target, link) in [("z", "in/a"), ("..", "in/z/up"), ("../elsewhere", "in/b"), ("../elsewhere", "in/c")] {
        symlink(target, place.path(link)).unwrap();
    }
    symlink("nowhere.png", place.path("in/lost.png")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(place.path("in/pipe.png")).status().unwrap().success());
    let (code, out, err) = explain(&place, "in -o out");
    assert_eq!(below(&place, "out"), ["b/002.png", "z/001.png"], "{out}");
    assert!(code == Some(2) && err.contains("in/lost.png: cannot be read"), "{err}");
    assert!(err.contains("left out of in: 1 special file, 3 links to folders read already\n"), "{err}");
}

/// An overlay is never an input by accident, wherever it lies and whatever its name.
#[test]
fn overlays_are_no_photos() {
    let place = photos(&["a.png", "b.png"]);
    let names = |out: &str| out.lines().filter(|line| !line.starts_with(' ')).map(str::to_owned).collect::<Vec<_>>();
    explain(&place, "a.png b.png");
    let (code, out, err) = explain(&place, "a.gradcam.png a.png b.gradcam.png b.png");
    assert_eq!((code, &*err), (Some(0), "gradcam: left out: 2 overlays of earlier runs\n"));
    assert_eq!(names(&out), ["a.png", "b.png"]);
    // By content: `-o` gives them the photos' own names.
    for format in ["png", "jpg"] {
        let (code, _, err) = explain(&place, &format!("a.png b.png -o maps --format {format}"));
        assert!(code == Some(0) && err.is_empty(), "{err}");
    }
    assert_eq!(below(&place, "maps"), ["a.jpg", "a.png", "b.jpg", "b.png"]);
    let (_, out, err) = explain(&place, ". --json");
    let found: Vec<Value> = json(&out).iter().map(|line| line["image"].clone()).collect();
    assert_eq!(found, ["./a.png", "./b.png"]);
    assert!(err.contains("left out of .: 1 SAFETENSORS, 6 overlays of earlier runs"), "{err}");
    // A single one that is named is meant.
    let (code, out, err) = explain(&place, "maps/a.jpg -o again.png");
    assert!(code == Some(0) && names(&out) == ["maps/a.jpg"], "{out}");
    assert_eq!(err, "gradcam: maps/a.jpg: is an overlay of an earlier run\n");
    let (code, _, err) = explain(&place, "a.gradcam.png b.gradcam.png");
    assert!(code == Some(2) && err.contains("2 overlays of earlier runs; name photos"), "{err}");
}

/// Every photo gets an overlay of its own, whatever the names.
#[test]
fn equal_names() {
    let place = photos(&["x/bird/001.jpg", "cat/001.jpg", "y/bird/001.jpg", "cat/001.png", "cat/001.JPG"]);
    let (code, out, err) = explain(&place, "x/bird cat y/bird x/bird -o out --json");
    assert!(code == Some(0) && err.is_empty(), "{err}");
    let lines = json(&out);
    assert!(lines.iter().map(|line| line["index"].as_u64()).eq((0..6).map(Some)), "{out}");
    let overlays: BTreeSet<&str> = lines.iter().map(|line| line["maps"][0]["overlay"].as_str().unwrap()).collect();
    assert!(overlays.len() == 6 && overlays.contains("out/bird/001.png"), "{overlays:?}");
    assert_eq!(below(&place, "out").len(), 6);
    let files = "x/bird/001.jpg y/bird/001.jpg cat/001.jpg x/bird/001.jpg -o files";
    assert_eq!(explain(&place, files).0, Some(0));
    assert_eq!(below(&place, "files"), ["001-3.png", "001-4.png", "001.jpg.png", "001.png"]);
}

/// Names that would be too long are cut, and those that are no texts keep their bytes.
#[test]
#[cfg(target_os = "linux")]
fn unusual_names() {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let long = ["ä", "b"].map(|letter| letter.repeat(250 / letter.len()));
    let place = photos(&long.each_ref().map(|stem| format!("in/{stem}.png")).each_ref().map(String::as_str));
    for (args, count) in [("in", 2), ("in -o maps", 2), ("in -k 3 -o more --format jpg", 6)] {
        let before = place.files();
        let (code, _, err) = explain(&place, args);
        assert!(code == Some(0) && err.is_empty(), "{args}: {err}");
        assert_eq!(place.files().len(), before.len() + count, "{args}");
    }
    let place = photos(&[]);
    let name = std::ffi::OsStr::from_bytes(b"\xff\xfe.png");
    std::fs::create_dir(place.path("in")).unwrap();
    std::fs::write(place.path("in").join(name), picture()).unwrap();
    let (code, out, err) = explain(&place, "in -o out --json");
    assert!(code == Some(0) && err.is_empty() && json(&out)[0]["index"] == 0, "{out} {err}");
    let written = std::fs::read_dir(place.path("out")).unwrap().next().unwrap().unwrap().file_name();
    assert_eq!(written.into_vec(), b"\xff\xfe.png");
}

/// What cannot be read or written is named, and the others are explained.
#[test]
fn a_bad_item_stops_nothing() {
    let place = photos(&["in/a.png", "in/b.png", "in/d.png"]);
    place.write("in/c.png", &picture()[..200]);
    place.write("out/b.png/inside", "a file in a folder of the overlay's name");
    for batch in [1, 3] {
        let (code, out, err) = explain(&place, &format!("in -o out --json --batch {batch}"));
        assert!(json(&out).iter().map(|line| line["index"].as_u64()).eq([Some(0), Some(3)]), "{out}");
        assert!(code == Some(2) && err.contains("in/b.png: ") && err.contains("out/b.png: cannot be written"), "{err}");
        assert!(err.contains("in/c.png: ") && err.ends_with("gradcam: 2 of 4 images failed\n"), "{err}");
    }
    assert_eq!(below(&place, "out"), ["a.png", "b.png/inside", "d.png"]);
}

/// A run that ended early goes on where it ended.
#[test]
fn a_run_is_resumed() {
    let place = photos(&["in/a.png", "in/b.png", "in/deep/a.png"]);
    for (maps, outputs) in [(1, ["one/b.png"].as_slice()), (2, &["two/a-1-", "two/deep/a-2-"])] {
        let args = format!("in -k {maps} -o {} --skip-existing", outputs[0].split_once('/').unwrap().0);
        assert_eq!(explain(&place, &args).0, Some(0));
        let whole = place.files();
        for name in whole.keys().filter(|name| outputs.iter().any(|o| name.starts_with(o))) {
            std::fs::remove_file(place.path(name)).unwrap();
        }
        // A missing first map alone does not tell that a run ended early: maps are written in order.
        let (code, out, err) = explain(&place, &args);
        assert_eq!((code, &*err), (Some(0), "gradcam: left out 2 of 3 photos, whose overlays exist\n"));
        assert_eq!(out.lines().filter(|line| !line.starts_with(' ')).count(), 1, "{out}");
        let (code, out, err) = explain(&place, &args);
        assert_eq!((code, &*out), (Some(0), ""));
        assert!(err.contains("left out 3 of 3"), "{err}");
    }
    let (code, _, err) = explain(&place, "in --skip-existing --json");
    assert!(code == Some(2) && err.contains("--skip-existing") && err.contains("--output"), "{err}");
}

/// If nobody reads what is printed and nothing is written, nothing more is computed: the last photo's error is not met.
#[test]
fn nobody_listens() {
    let place = photos(&[]);
    (0..100).for_each(|i| place.write(&format!("in/{i:02}.png"), picture()));
    place.write("in/last.png", "no picture");
    for (args, end) in [("--json", Some(0)), ("-o out", Some(2)), ("--save-tensors x.safetensors", Some(2))] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = place.command(&format!("explain --model tiny.safetensors --device cpu in {args}"));
        let run = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert!(run.status.code() == end && run.stderr.is_empty() == (end == Some(0)), "{args}: {run:?}");
    }
    assert_eq!(below(&place, "out").len(), 100);
    assert_eq!(place.tensors("x.safetensors")["ok"].2.iter().sum::<f32>(), 100.0);
}

/// The examples in a folder give what they give by name.
#[test]
fn a_folder_as_a_command() {
    let place = Place::with(&[]);
    place.write("in/rocket.jpg", example("rocket.jpg"));
    let [by_command, by_folder] =
        ["explain in/rocket.jpg -o a.png", "in/rocket.jpg -o a.png"].map(|args| place.does(args));
    assert!(by_command == by_folder && by_folder.contains("missile"), "{by_folder}");
    assert_eq!(place.does("in -k 3 --json"), place.does("-k 3 in --json"));
}
