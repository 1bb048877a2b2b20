//! Hostile files and tired machines: memory that does not suffice, files that are no files, and signals.
#![cfg(target_os = "linux")]

#[path = "common/onnx_file.rs"]
#[allow(dead_code)]
mod onnx_file;
#[path = "common/place.rs"]
#[allow(dead_code)]
mod place;
#[path = "common/protobuf.rs"]
#[allow(dead_code)]
mod protobuf;
#[path = "common/watch.rs"]
mod watch;

use std::fmt::Write as _;
use std::io::Cursor;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gradcam::Photo;
use image::{ImageFormat, RgbImage};
use onnx_file::{file, operator, port, tensor};
use place::{PROGRAM, Place};
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::Value;
use tiff::encoder::{Compression, TiffEncoder, colortype};
use watch::{peak, watched};

/// A small network with this metadata.
fn network(place: &Place, name: &str, metadata: &[(&str, &str)]) {
    let model = gradcam::Model::seeded("squeezenet1_1", 10, 1.0).unwrap();
    let tensors = model.tensors();
    let views = tensors.iter().map(|(name, shape, values)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values)).unwrap())
    });
    let metadata = metadata.iter().chain(&[("architecture", "squeezenet1_1")]);
    let metadata = metadata.map(|(name, value)| (name.to_string(), value.to_string())).collect();
    place.write(name, serialize(views, Some(metadata)).unwrap());
}

/// A picture of one colour, small as a file.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = vec![];
    RgbImage::from_pixel(width, height, image::Rgb([90, 120, 150]))
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .unwrap();
    bytes
}

/// A picture of f32 zeros: 12 bytes a pixel, and a thousandth of them in the file.
fn bomb(side: u32) -> Vec<u8> {
    let mut bytes = vec![];
    let file = TiffEncoder::new(Cursor::new(&mut bytes)).unwrap();
    let mut file = file.with_compression(Compression::Deflate(tiff::encoder::DeflateLevel::Fast));
    file.write_image::<colortype::RGB32Float>(side, side, &vec![0.0; (side * side * 3) as usize]).unwrap();
    bytes
}

/// A small picture with a large profile of zeros.
fn with_profile(side: u32, profile: usize) -> Vec<u8> {
    let mut bytes = vec![];
    let mut info = png::Info::with_size(side, side);
    info.color_type = png::ColorType::Grayscale;
    info.icc_profile = Some(vec![0; profile].into());
    let mut writer = png::Encoder::with_info(&mut bytes, info).unwrap().write_header().unwrap();
    writer.write_image_data(&vec![90; (side * side) as usize]).unwrap();
    writer.finish().unwrap();
    assert!(bytes.len() < profile / 100);
    bytes
}

/// How a process ended, the peak of its resident memory in MiB, and what it said.
struct Ended {
    code: Option<i32>,
    peak: u64,
    err: String,
}

fn measured(mut command: Command) -> Ended {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut stderr, &mut text).unwrap();
        text
    });
    let (status, peak) = peak(child);
    Ended { code: status.code(), peak: peak >> 10, err: reader.join().unwrap() }
}

/// A WebP whose EXIF chunk claims 4 GiB. Its decoder would ask the system for them.
#[test]
fn a_webp_that_claims_too_much() {
    let mut plain = vec![];
    RgbImage::new(64, 48).write_to(&mut Cursor::new(&mut plain), ImageFormat::WebP).unwrap();
    let extended = |exif_length: u32| {
        // Flags: EXIF. Width and height less one, in three bytes each.
        let head = [b"VP8X", &10_u32.to_le_bytes()[..], &[8, 0, 0, 0, 63, 0, 0, 47, 0, 0]].concat();
        let exif = [b"EXIF", &exif_length.to_le_bytes()[..], b"MM\0\x2a\0\0\0\x08\0\0"].concat();
        let chunks = [&head, &plain[12..], &exif].concat();
        [b"RIFF", &(chunks.len() as u32 + 4).to_le_bytes()[..], b"WEBP", &chunks].concat()
    };
    assert!(Photo::decode("right", &extended(10)).is_ok());
    for length in [12, 1 << 20, u32::MAX - 1] {
        let error = Photo::decode("wrong", &extended(length)).err().unwrap().to_string();
        assert_eq!(error, "wrong: cannot be decoded: the file is truncated: it ends within a chunk");
    }
    // Here memory has an end, and one photo of a folder cannot end the others.
    let place = Place::with(&[]);
    network(&place, "tiny.safetensors", &[("input_size", "[3, 48, 48]")]);
    place.write("in/a.webp", extended(u32::MAX - 1));
    place.write("in/b.png", png(64, 48));
    let mut command = Command::new("bash");
    let line = format!("ulimit -v 2000000; exec {PROGRAM} explain in --device cpu --model tiny.safetensors -o out");
    let ended = measured({
        command.args(["-c", &line]).current_dir(&place.0);
        command
    });
    assert!(ended.code == Some(2) && place.path("out/b.png").exists(), "{:?} {}", ended.code, ended.err);
}

/// Decoders together stay within the limit, and what does not fit is refused with the figures.
#[test]
fn bombs() {
    let place = Place::with(&[]);
    network(&place, "tiny.safetensors", &[("input_size", "[3, 48, 48]")]);
    place.write("in/0.tiff", bomb(3000));
    (1..5).for_each(|i| std::fs::hard_link(place.path("in/0.tiff"), place.path(format!("in/{i}.tiff"))).unwrap());
    place.write("in/5.png", png(640, 480));
    place.write("in/6.png", with_profile(64, 256 << 20));
    let explain = |limit| {
        let args = format!("explain in --model tiny.safetensors --device cpu --json --memory-limit {limit}");
        measured(place.command(&args))
    };
    // Each takes 241 MiB, two of them at once 482.
    let enough = explain("350M");
    println!("two bombs at once, of 241 MiB each: {} MiB with a limit of 350", enough.peak);
    assert!(enough.code == Some(0) && enough.peak < 350 + 40, "{} MiB {}", enough.peak, enough.err);
    let little = explain("200M");
    let refused = |i: usize| format!("in/{i}.tiff: 241 MiB of memory needed, but ");
    assert!(little.code == Some(1) && (0..5).all(|i| little.err.contains(&refused(i))), "{}", little.err);
    assert!(little.err.lines().count() < 8 && little.peak < 150, "{} MiB {}", little.peak, little.err);
    // The address space counts too.
    let mut command = Command::new("bash");
    let line = format!("ulimit -v 900000; exec {PROGRAM} explain in --model tiny.safetensors --device cpu --json");
    command.args(["-c", &line]).current_dir(&place.0);
    let ended = measured(command);
    assert!(matches!(ended.code, Some(0 | 1)), "{:?} {}", ended.code, ended.err);
}

/// A large batch of large photos is done in smaller ones.
#[test]
fn large_batches() {
    let place = Place::with(&[]);
    network(&place, "tiny.safetensors", &[("input_size", "[3, 48, 48]")]);
    place.write("in/00.png", png(4000, 3000));
    (1..10).for_each(|i| std::fs::hard_link(place.path("in/00.png"), place.path(format!("in/{i:02}.png"))).unwrap());
    let explain = |args: &str| {
        let ended = measured(place.command(&format!("explain in --model tiny.safetensors --batch 64 {args}")));
        assert!(ended.code == Some(0), "{args}: {:?} {}", ended.code, ended.err);
        ended.peak
    };
    let base = explain("--json");
    let bounded = explain("--memory-limit 600M -o out");
    assert_eq!(std::fs::read_dir(place.path("out")).unwrap().count(), 10);
    println!("10 photos of 12 megapixels at once: {base} MiB without overlays, {bounded} MiB with a limit of 600");
    assert!(base < 400 && bounded < 600 + 250, "{base} and {bounded} MiB");
}

/// A file's metadata cannot make the CPU, or a software driver, take all memory.
#[test]
fn sizes_from_metadata() {
    let place = Place::with(&["rocket.jpg"]);
    network(&place, "big.safetensors", &[("input_size", "[3, 4096, 4096]")]);
    network(&place, "one.safetensors", &[("input_size", "[3, 1, 1]")]);
    for device in ["cpu", "0"] {
        let args = format!("explain rocket.jpg --model big.safetensors --memory-limit 500M --device {device}");
        let (code, _, err) = place.run(&args);
        let said = err.lines().last().unwrap_or_default();
        assert!(code == Some(1) && said.contains(" MiB") && said.contains("needed, but "), "{device}: {err}");
    }
    let (code, _, err) = place.run("explain rocket.jpg --model one.safetensors");
    assert!(code == Some(2) && !err.contains('{') && err.contains("one.safetensors"), "{err}");
}

/// An ONNX file of 600 bytes that makes many constants, each of which would be allowed alone.
#[test]
fn constants_without_end() {
    let place = Place::with(&["rocket.jpg"]);
    let many = (0..20).flat_map(|i| {
        let made = operator("ConstantOfShape", &["s"], &format!("c{i}"), &[]);
        [(1, made), (1, operator("Add", &[&format!("y{i}"), &format!("m{i}")], &format!("y{}", i + 1), &[]))]
    });
    let means = (0..20).map(|i| (1, operator("ReduceMean", &[&format!("c{i}")], &format!("m{i}"), &[])));
    let parts: Vec<(usize, Vec<u8>)> = [
        (1, operator("GlobalAveragePool", &["x"], "p", &[])),
        (1, operator("Flatten", &["p"], "y0", &[])),
        (5, tensor("s", &[2], &[4000.0, 4000.0])),
        (11, port("x", &[1, 3, 8, 8])),
        (12, port("y20", &[1, 3])),
    ]
    .into_iter()
    .chain(many)
    .chain(means)
    .collect();
    place.write("net.onnx", file(17, &parts));
    let explain =
        |args: &str| measured(place.command(&format!("explain rocket.jpg --model net.onnx --device cpu {args}")));
    let ended = explain("--memory-limit 400M");
    let said = "of memory are too few";
    assert!(ended.code == Some(2) && ended.err.contains(said) && ended.peak < 450, "{} MiB {}", ended.peak, ended.err);
}

/// Ends a command that does not end by itself.
fn within(mut command: Command, seconds: u64) -> (Option<i32>, String) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > Duration::from_secs(seconds) {
            child.kill().unwrap();
            panic!("{command:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let ended = child.wait_with_output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

/// Endless devices and pipes without writer, wherever a file may stand.
#[test]
fn files_that_are_no_files() {
    let place = Place::with(&["rocket.jpg"]);
    let pipe = |path: &str| {
        std::fs::create_dir_all(place.path(path).parent().unwrap()).unwrap();
        assert!(Command::new("mkfifo").arg(place.path(path)).status().unwrap().success());
    };
    let link = |to: &str, path: &str| {
        std::fs::create_dir_all(place.path(path).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(to, place.path(path)).unwrap();
    };
    // Found beside a model, or in the cache: said, and not waited for.
    for (folder, file) in [("pipe", "config.json"), ("endless", "preprocessor_config.json")] {
        network(&place, &format!("{folder}/m.safetensors"), &[("input_size", "[3, 48, 48]")]);
        let path = format!("{folder}/{file}");
        if folder == "pipe" {
            pipe(&path)
        } else {
            link("/dev/zero", &path)
        }
        let command = place.command(&format!("layers --model {folder}/m.safetensors"));
        let (code, err) = within(command, 20);
        assert!(code == Some(0) && err.contains(&format!("{path} is left out: it is not a regular file")), "{err}");
    }
    pipe("cache/devices.json");
    let mut command = place.command("explain rocket.jpg --model pipe/m.safetensors");
    command.env("GRADCAM_CACHE", place.path("cache"));
    let (code, err) = within(command, 60);
    assert!(
        code == Some(0) && err.contains("devices.json: cannot be read: it is not a regular file (measurements"),
        "{err}"
    );
    // Named: refused, each as what it is.
    link("nowhere", "dangling.png");
    for args in [
        "explain /dev/zero",
        "explain rocket.jpg --similar-to /dev/zero",
        "explain rocket.jpg --model /dev/zero",
        "explain rocket.jpg --labels /dev/zero",
        "explain --tensors /dev/zero",
        "bench --compare /dev/zero /dev/zero",
    ] {
        let (code, err) = within(place.command(args), 20);
        assert!(
            code == Some(2) && err.contains("/dev/zero: cannot be read: it is not a regular file"),
            "{args}: {err}"
        );
    }
    let (code, err) = within(place.command("explain dangling.png"), 20);
    assert!(code == Some(2) && err.contains("dangling.png: cannot be read: No such file"), "{err}");
    // Of a folder, only regular files are photos.
    pipe("in/pipe.png");
    link("/dev/zero", "in/zero.png");
    place.write("in/photo.png", png(64, 48));
    let (code, err) = within(place.command("explain in -o out"), 60);
    assert!(code == Some(0) && place.path("out/photo.png").exists(), "{err}");
}

/// Small files that grow in memory, none of which takes more than the limit: labels, configs, pickles, and headers.
#[test]
fn small_files_that_grow() {
    let place = Place::with(&["rocket.jpg"]);
    network(&place, "tiny.safetensors", &[("input_size", "[3, 48, 48]")]);
    network(&place, "beside/m.safetensors", &[("input_size", "[3, 48, 48]")]);
    place.write("lines.txt", "x\n".repeat(2_000_000));
    place.write("list.json", format!("[{}0]", "0,".repeat(5_000_000)));
    place.write("beside/config.json", format!("{{\"label_names\": [{}\"\"]}}", "\"\",".repeat(3_000_000)));
    let header: Vec<String> =
        (0..200_000).map(|i| format!("\"t{i}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}")).collect();
    let header = format!("{{{}}}", header.join(","));
    place.write("many.safetensors", [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat());
    for (args, said) in [
        ("--model tiny.safetensors --labels lines.txt", "lines.txt: holds more than 1048576 labels"),
        ("--model tiny.safetensors --labels list.json", "list.json: 305 MiB of memory needed, but "),
        ("--model beside/m.safetensors", "config.json is left out: it: "),
        ("--model many.safetensors --arch squeezenet1_1", "many.safetensors: 133 MiB of memory needed, but "),
    ] {
        let ended =
            measured(place.command(&format!("explain rocket.jpg --device cpu --json --memory-limit 100M {args}")));
        assert!(ended.err.contains(said) && ended.peak < 120, "{args}: {} MiB {}", ended.peak, ended.err);
    }
}

/// Starts a long run, and waits until it writes.
fn begun(place: &Place, out: &str) -> Child {
    // Who started the tests may have wanted signals ignored.
    let mut command = Command::new("env");
    command.args([
        "--default-signal",
        PROGRAM,
        "explain",
        "in",
        "--model",
        "tiny.safetensors",
        "--device",
        "cpu",
        "-o",
        out,
    ]);
    let child = command.current_dir(&place.0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begin = Instant::now();
    while files(&place.path(out)).is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing is written");
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A signal ends a run as shells expect, and leaves nothing half-written. What a killed run leaves, the next one removes.
#[test]
fn signals() {
    let place = Place::with(&[]);
    network(&place, "tiny.safetensors", &[("input_size", "[3, 48, 48]")]);
    let photo = png(1200, 900);
    (0..200).for_each(|i| place.write(&format!("in/{i:03}.png"), &photo));
    let mut left = String::new();
    // A hundred of them with `make test-hostile`.
    let rounds = std::env::var("GRADCAM_KILLS").map_or(4, |kills| kills.parse().unwrap());
    for round in 0..rounds {
        for (name, number) in [("INT", 2), ("TERM", 15), ("KILL", 9)] {
            let mut child = begun(&place, "out");
            std::thread::sleep(Duration::from_micros(round * 7919 % 40_000));
            let kill = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
            assert!(kill.success());
            assert_eq!(child.wait().unwrap().signal(), Some(number), "{name}");
            let (hidden, whole): (Vec<_>, Vec<_>) =
                files(&place.path("out")).into_iter().partition(|name| name.starts_with('.'));
            assert!(name == "KILL" || hidden.is_empty(), "{name}: {hidden:?}");
            write!(left, "{} ", hidden.len()).unwrap();
            for name in whole {
                assert!(image::open(place.path(format!("out/{name}"))).is_ok(), "{name} is not whole");
            }
        }
    }
    // Its first overlay, the next run writes after it looked around.
    begun(&place, "out").kill().unwrap();
    let (code, _, err) = place.run("explain in/000.png --model tiny.safetensors --device cpu -o out/000.png");
    assert_eq!(code, Some(0), "{err}");
    assert!(files(&place.path("out")).iter().all(|name| !name.starts_with('.')), "{left}");
    // Who wants signals to be ignored, as nohup does, is obeyed.
    let line = format!(
        "trap '' INT; {PROGRAM} explain in/000.png --model tiny.safetensors --device cpu -o x.png & \
        sleep 0.05; kill -INT $!; wait $!"
    );
    let status = Command::new("bash").args(["-c", &line]).current_dir(&place.0).stdout(Stdio::null()).status().unwrap();
    assert!(status.success() && place.path("x.png").exists());
}

/// Whatever is in the cache, the answer is the same, and the device is measured again.
#[test]
fn a_poisoned_cache() {
    let place = Place::with(&["rocket.jpg"]);
    network(&place, "tiny.safetensors", &[("input_size", "[3, 48, 48]")]);
    let explain = || {
        let mut command = place.command("explain rocket.jpg --model tiny.safetensors --json");
        command.env("GRADCAM_CACHE", place.path("cache"));
        let ended = command.output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        let predictions = serde_json::from_slice::<Value>(&ended.stdout).unwrap()["predictions"].clone();
        predictions.as_array().unwrap().iter().map(|p| p["class"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let first = explain();
    let good = std::fs::read_to_string(place.path("cache/devices.json")).unwrap();
    // Times differ, and with them perhaps the choice.
    let devices = |text: &str| match serde_json::from_str(text).unwrap() {
        Value::Object(devices) => devices.keys().cloned().collect::<Vec<String>>(),
        other => panic!("{other}"),
    };
    let wrong_name = good.replace("textures", "nothing").replace("buffers", "nothing");
    assert_ne!(wrong_name, good);
    let deep = "[".repeat(200_000);
    let long = " ".repeat(17 << 20);
    for bad in ["", "{", "null", "[]", "{\"a\": 1}", "\u{0}\u{1}", &wrong_name, &deep, &long] {
        place.write("cache/devices.json", bad);
        assert_eq!(explain(), first, "{}", &bad[..bad.len().min(40)]);
        let again = std::fs::read_to_string(place.path("cache/devices.json")).unwrap();
        assert_eq!(devices(&again), devices(&good));
    }
    std::fs::remove_file(place.path("cache/devices.json")).unwrap();
    place.write("cache/devices.json/inside", "a folder in its place");
    assert_eq!(explain(), first);
    // What cannot be kept is said.
    let mut command = place.command("explain rocket.jpg --model tiny.safetensors");
    let ended = command.env("GRADCAM_CACHE", "/proc/nowhere").output().unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && err.contains("/proc/nowhere/devices.json: cannot be written: "), "{err}");
}

/// On a full disk each file tells so, once, and nothing half-written stays. Needs the right to mount.
#[test]
#[ignore = "mounts a file system; see `make test-hostile`"]
fn a_full_disk() {
    let place = Place::with(&["rocket.jpg", "chelsea.png", "coffee.png"]);
    std::fs::create_dir(place.path("small")).unwrap();
    for args in ["-o small", "-o small/one.png", "--save-tensors small/x.safetensors"] {
        let photos = if args.contains("one") { "rocket.jpg" } else { "rocket.jpg chelsea.png coffee.png" };
        let line = format!(
            "mount -t tmpfs -o size=64k none small && {PROGRAM} explain {photos} --device cpu {args}; \
             code=$?; ls -A small >&2; umount small; exit $code"
        );
        let mut command = Command::new("unshare");
        let ended = command.args(["-rm", "bash", "-c", &line]).current_dir(&place.0).output().unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        let [said] = err.lines().collect::<Vec<_>>()[..] else { panic!("{args}: {err}") };
        assert!(ended.status.code() == Some(1) && said.contains("No space left on device"), "{args}: {err}");
    }
}

/// Memory stays the same over many photos of many sizes.
#[test]
#[ignore = "takes minutes; see `make test-hostile`"]
fn a_soak() {
    let place = Place::with(&["coffee.png"]);
    network(&place, "tiny.safetensors", &[("input_size", "[3, 48, 48]")]);
    let photo = image::open(place.path("coffee.png")).unwrap();
    std::fs::create_dir(place.path("in")).unwrap();
    for size in 0..60 {
        let resized = photo.resize_exact(90 + size * 7, 400 - size * 5, image::imageops::FilterType::Triangle);
        resized.into_rgb8().save(place.path(format!("{size}.png"))).unwrap();
    }
    for i in 0..10_000 {
        std::fs::hard_link(place.path(format!("{}.png", i % 60)), place.path(format!("in/{i:05}.png"))).unwrap();
    }
    let mut command = place.command("explain in --model tiny.safetensors -o out");
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begin = Instant::now();
    let (status, mut resident) = watched(child, "VmRSS:", Duration::from_millis(100));
    resident.iter_mut().for_each(|kib| *kib >>= 10);
    let most = |part: &[u64]| part.iter().copied().max().unwrap();
    let [early, late] = [most(&resident[resident.len() / 10..resident.len() / 5]), most(&resident)];
    println!("10,000 photos in {:.0} s: {early} MiB after a tenth, {late} at most", begin.elapsed().as_secs_f64());
    assert!(status.success() && files(&place.path("out")).len() == 10_000);
    assert!(late < early + 16, "{early} MiB, then {late} MiB");
}

/// Empty variables count as unset.
#[test]
fn empty_variables() {
    let place = Place::with(&["rocket.jpg"]);
    let mut command = place.command("explain rocket.jpg --device cpu");
    command.envs(["GRADCAM_MEMORY_LIMIT", "GRADCAM_CACHE", "WGPU_BACKEND"].map(|name| (name, "")));
    let ended = command.output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
    assert!(!place.path("devices.json").exists());
    for wrong in ["0", "2X", "-1", "G"] {
        place.refuses(2, &format!("explain rocket.jpg --memory-limit={wrong} => --memory-limit|512M or 2G"));
    }
}
