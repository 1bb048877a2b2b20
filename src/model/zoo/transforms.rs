//! How the libraries prepare photos for their trained weights: the table that `tools/transforms.py` writes.

use serde_json::{Value, json};

use super::{Architecture, Library};
use crate::texts::text;

/// The words of each row: library, architecture, tag, and the transform.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = text("src/model/zoo/transforms.txt").into_iter().flat_map(str::lines);
    lines.filter(|line| !line.starts_with('#')).map(|line| line.split(' ').collect())
}

/// The facts of one row.
pub struct Transform {
    /// The library's tag of the weights, such as `IMAGENET1K_V2` or `a1_in1k`.
    pub tag: &'static str,
    /// Names and values as in a weights file's metadata.
    pub facts: Vec<(&'static str, Value)>,
}

/// The transform of an architecture's weights: those of this tag, or else the library's default.
///
/// A tag may belong to the other library, since some rows stand for both.
pub fn of(architecture: &Architecture, tag: Option<&str>) -> Option<Transform> {
    let library = architecture.library.to_string();
    let mut named = rows().filter(|row| row.get(1) == Some(&architecture.name));
    let row = match tag {
        Some(tag) => named.find(|row| row[2].eq_ignore_ascii_case(tag)),
        None => named.find(|row| row[0] == library),
    }?;
    let &[_, _, tag, size, resize, mode, interpolation, normalisation, ref more @ ..] = &row[..] else { return None };
    let (height, width) = size.split_once('x')?;
    let size = json!([height.parse::<usize>().ok()?, width.parse::<usize>().ok()?]);
    let resize: f64 = resize.parse().ok()?;
    let resize = if resize < 2.0 { ("crop_pct", json!(resize)) } else { ("resize", json!(resize as usize)) };
    let (mean, std) = match normalisation {
        "imagenet" => (json!([0.485, 0.456, 0.406]), json!([0.229, 0.224, 0.225])),
        "half" => (json!(0.5), json!(0.5)),
        "none" => (json!(0.0), json!(1.0)),
        "clip" => (json!([0.481_454_66, 0.457_827_5, 0.408_210_73]), json!([0.268_629_54, 0.261_302_58, 0.275_777_11])),
        _ => (json!([0.48235, 0.45882, 0.40784]), json!(1.0 / 255.0)),
    };
    let mut facts = vec![("input_size", size.clone()), ("input_size_of_library", size), resize];
    facts.extend([("crop_mode", json!(mode)), ("interpolation", json!(interpolation)), ("mean", mean), ("std", std)]);
    facts.extend(more.iter().map(|flag| (*flag, json!(true))));
    Some(Transform { tag, facts })
}

/// The library whose weights have this tag.
pub fn library(name: &str, tag: &str) -> Option<Library> {
    let row = rows().find(|row| row[1] == name && row[2].eq_ignore_ascii_case(tag))?;
    Some(if row[0] == "timm" { Library::Timm } else { Library::Torchvision })
}

/// All tags of an architecture's weights.
pub fn tags(name: &str) -> impl Iterator<Item = &'static str> {
    rows().filter(move |row| row[1] == name).map(|row| row[2])
}
