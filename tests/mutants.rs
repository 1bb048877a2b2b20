//! A wrong shader is detected and named. A debug build reads its shaders from the folder `GRADCAM_SHADERS`.

#[allow(dead_code)]
#[path = "common/place.rs"]
mod place;

use std::path::Path;

use place::Place;

#[test]
fn a_wrong_shader_is_named() {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    for (shader, right, wrong, kernel) in [
        ("gate", "load_x(at) * load_s", "load_x(at) + load_s", "gate"),
        ("winograd_output", "4.0", "4.5", "pointwise, winograd_input, winograd_output"),
        // One texel too many.
        ("add", "at < params.texels", "at <= params.texels", "add"),
        ("seed", "@compute", "@nonsense", ""),
    ] {
        let place = Place::with(&[]);
        for folder in ["", "shared"] {
            for file in std::fs::read_dir(from.join(folder)).unwrap().map(|file| file.unwrap().path()) {
                if file.is_file() {
                    let name = format!("{folder}/{}", file.file_name().unwrap().to_str().unwrap());
                    place.write(name.trim_start_matches('/'), std::fs::read(file).unwrap());
                }
            }
        }
        let text = std::fs::read_to_string(from.join(format!("{shader}.wgsl"))).unwrap();
        assert!(text.contains(right), "{shader}");
        place.write(&format!("{shader}.wgsl"), text.replace(right, wrong));
        let mut command = place.command(&format!("verify --variant buffers --fail-fast --kernel {shader}"));
        let output = command.env("GRADCAM_SHADERS", place.path("")).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{shader}: {told}");
        let said = if kernel.is_empty() { "no kernel".to_owned() } else { format!("kernel {kernel}\n") };
        assert!(told.contains("disagrees") && told.contains(&said), "{shader}: {told}");
    }
}
