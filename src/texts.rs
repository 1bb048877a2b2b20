//! The texts that the library carries, as `build.rs` packed them: shaders, labels, and how libraries prepare photos.

use std::ops::Range;
use std::sync::OnceLock;

/// Each text's path in the repository, and its place among all of them.
const PLACES: &[(&str, Range<usize>)] = include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// The paths of all texts in a folder, not of those in its sub-folders.
pub fn inside(folder: &'static str) -> impl Iterator<Item = &'static str> {
    let inner = move |path: &&'static str| {
        path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')).is_some_and(|name| !name.contains('/'))
    };
    PLACES.iter().map(|(path, _)| *path).filter(inner)
}

/// The text of this path, if there is one.
pub fn text(path: &str) -> Option<&'static str> {
    static TEXTS: OnceLock<String> = OnceLock::new();
    let unpack = || {
        let packed = include_bytes!(concat!(env!("OUT_DIR"), "/texts.packed"));
        let bytes = miniz_oxide::inflate::decompress_to_vec(packed).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    };
    let (_, place) = PLACES.iter().find(|(other, _)| *other == path)?;
    TEXTS.get_or_init(unpack).get(place.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the line of a shader is there: headers are not, but what snippets take and leave.
    fn stays(line: &&str) -> bool {
        let words: Vec<&str> = line.split(' ').collect();
        matches!(words[..], ["//", "takes:" | "leaves:", ..]) || !words[0].starts_with("//")
    }

    #[test]
    fn unpacked_as_packed() {
        for folder in ["shaders", "shaders/shared", "weights", "src/model/zoo"] {
            assert!(inside(folder).count() > 0, "{folder}");
            for path in inside(folder) {
                let file =
                    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
                let whole = if path.ends_with(".wgsl") {
                    file.lines().filter(stays).map(|line| format!("{line}\n")).collect()
                } else {
                    file
                };
                assert_eq!(text(path), Some(&*whole), "{path}");
            }
        }
        assert_eq!(text("shaders/none.wgsl"), None);
    }
}
