//! The program among other programs: pipes, formats, environment, completions.

#[path = "common/place.rs"]
#[allow(dead_code)]
mod place;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use place::{Place, example, worst};

/// Runs a command that reads these bytes.
fn fed(mut command: Command, bytes: &[u8]) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

/// A photo comes from standard input, and its overlay goes to standard output.
#[test]
fn pipes() {
    let place = Place::with(&["rocket.jpg"]);
    let photo = example("rocket.jpg");
    place.does("explain rocket.jpg -o file.png");
    for (args, begin) in [("explain - -o -", &b"\x89PNG"[..]), ("- -o - --format jpg", b"\xff\xd8\xff")] {
        let run = fed(place.command(args), &photo);
        assert!(run.status.success() && run.stderr.is_empty() && run.stdout.starts_with(begin), "{args}");
        let overlay = image::load_from_memory(&run.stdout).unwrap().into_rgb8();
        assert!(worst(&overlay, &place.picture("file.png")) < 80.0, "{args}");
    }
    let run = fed(place.command("- -o named.jpeg"), &photo);
    assert!(String::from_utf8(run.stdout).unwrap().starts_with("standard input\n   27.0 %  missile"));
    assert_eq!(
        image::guess_format(&std::fs::read(place.path("named.jpeg")).unwrap()).unwrap(),
        image::ImageFormat::Jpeg
    );
    let run = fed(place.command("- -o none.png"), &photo[..5000]);
    let err = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.code() == Some(2) && err.starts_with("gradcam: standard input: ") && err.lines().count() == 1);
    #[cfg(target_os = "linux")]
    {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let run = place.command("rocket.jpg -o -").stdout(full).output().unwrap();
        let err = String::from_utf8(run.stderr).unwrap();
        assert!(run.status.code() == Some(1) && err.contains("standard output: cannot be written: No space"), "{err}");
    }
}

/// A caption changes the lowest rows alone: dark, with white letters.
#[test]
fn captions() {
    let place = Place::with(&["chelsea.png"]);
    place.does("chelsea.png -o plain.png");
    place.does("chelsea.png -o said.png --caption");
    let [plain, said] = ["plain.png", "said.png"].map(|name| place.picture(name));
    let changed: Vec<u32> = (0..300).filter(|y| (0..451).any(|x| plain[(x, *y)] != said[(x, *y)])).collect();
    assert!(changed.first() > Some(&260) && changed.last() == Some(&299), "{changed:?}");
    let band: Vec<u8> = changed.iter().flat_map(|y| (0..451).map(|x| said[(x, *y)].0[0])).collect();
    let white = band.iter().filter(|v| **v == 255).count();
    assert!(white * 20 > band.len() && band.iter().all(|v| *v == 255 || *v < 64), "{white} of {}", band.len());
}

/// Short options, and photos in place of a command. Other words get a suggestion.
#[test]
fn short_forms() {
    let place = Place::with(&["rocket.jpg"]);
    let long = place.does("explain rocket.jpg --top 2 --layer blocks.4 --device cpu --model efficientnet_lite0 --json");
    for short in
        ["rocket.jpg -k 2 -l blocks.4 -d cpu --json", "-m efficientnet_lite0 -k2 -lblocks.4 -dcpu --json rocket.jpg"]
    {
        assert_eq!(place.does(short), long, "{short}");
    }
    assert!(place.does("rocket.jpg -c tabby -b 2 -o x.png").contains("tabby (281)  → x.png"));
    place.refuses(
        2,
        "explian rocket.jpg => 'explian'|'explain'\nrokcet.jpg => 'rokcet.jpg'\n--colour rocket.jpg => --colour",
    );
    assert!(place.does("--version").starts_with("gradcam ") && place.does("--help").contains("Commands:"));
}

/// Completions and manual pages know the commands and options.
#[test]
fn completions_and_manual() {
    let place = Place::with(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.does(&format!("completions {shell}"));
        assert!(script.contains("skip-existing") && script.contains("verify"), "{shell}");
    }
    place.refuses(2, "completions tcsh => tcsh|bash\nman explian => explian|--help");
    assert!(place.does("man").contains(".TH gradcam 1") && place.does("man explain").contains("save\\-tensors"));
}

/// Variables of the environment are followed, empty ones count as unset.
#[test]
fn environment() {
    let place = Place::with(&["rocket.jpg"]);
    let run = |variable: &str, value: &str, args: &str| {
        let run = place.command(args).env(variable, value).output().unwrap();
        (run.status.code(), [run.stdout, run.stderr].map(|bytes| String::from_utf8(bytes).unwrap()))
    };
    let devices = |backend: &str| run("WGPU_BACKEND", backend, "devices --json").1[0].clone();
    for backend in ["gl", "OpenGL", "gles"] {
        let list = devices(backend);
        assert!(list.contains("\"backend\":\"gl\"") && !list.contains("\"backend\":\"vulkan\""), "{backend}: {list}");
    }
    assert!(!devices("vulkan").contains("\"backend\":\"gl\""));
    let (code, [out, _]) = run("WGPU_BACKEND", "gl", "devices --json --backend vulkan");
    assert!(code == Some(0) && !out.contains("\"backend\":\"gl\""), "{out}");
    let (code, [_, err]) = run("WGPU_BACKEND", "riva", "explain rocket.jpg");
    assert!(code == Some(2) && err.lines().count() == 1 && err.contains("'riva'") && err.contains("vulkan"), "{err}");

    let caches = place.path("caches");
    let mut command = place.command("explain rocket.jpg");
    let run = command.env("GRADCAM_CACHE", "").env("XDG_CACHE_HOME", &caches).env("HOME", &caches).output().unwrap();
    assert!(run.status.success() && !place.path("devices.json").exists());
    #[cfg(target_os = "linux")]
    assert!(caches.join("gradcam/devices.json").exists());
}
