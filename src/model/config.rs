//! `config.json` as the Hugging Face hub stores it beside a weights file, in the forms of timm and of transformers.
//!
//! Only what is needed is read. A file of another program, or a damaged one, gives a remark and nothing else.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::facts::{Facts, Origin};
use super::labels::Labels;
use super::recognise::needs;
use crate::error::Error;
use crate::files::{self, Kind};

/// The files that are read.
const FILES: [&str; 2] = ["config.json", "preprocessor_config.json"];
/// The largest one.
const LARGEST: u64 = 16 << 20;
/// timm's entries about photos, in `pretrained_cfg` or, in older files, at the top.
const PREPROCESSING: [&str; 6] = ["input_size", "crop_pct", "crop_mode", "interpolation", "mean", "std"];

/// What the files beside a weights file say.
#[derive(Default)]
pub struct Config {
    /// Names of the classes. Empty if there are none.
    pub labels: Labels,
    /// What could not be used.
    pub remarks: Vec<String>,
}

impl Config {
    /// Notes what the files say that were given by name, and those in `folder`.
    pub fn read(given: &[(String, Vec<u8>)], folder: Option<&Path>, facts: &mut Facts) -> Self {
        let mut config = Self::default();
        if let Some(entries) = config.object(FILES[0], given, folder) {
            config.note(&entries, facts);
        }
        if let Some(entries) = config.object(FILES[1], given, folder) {
            note_processor(&entries, facts);
        }
        let others = given.iter().filter(|(name, _)| !FILES.contains(&&**name));
        let other = |(name, _): &(String, _)| format!("{name} is left out: only {} are read", FILES.join(" and "));
        config.remarks.extend(others.map(other));
        config
    }

    /// The JSON object in a file. Anything else in it is a remark.
    fn object(&mut self, name: &str, given: &[(String, Vec<u8>)], folder: Option<&Path>) -> Option<Map<String, Value>> {
        let (what, bytes) = match given.iter().find(|(other, _)| other == name) {
            Some((_, bytes)) => (name.to_owned(), Ok(bytes.clone())),
            None => {
                let path = folder?.join(name);
                (path.display().to_string(), contents(&path)?)
            }
        };
        let parsed = bytes.and_then(|bytes| {
            let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            match files::json("it", text).map_err(|e| e.to_string())? {
                Ok(Value::Object(entries)) => Ok(entries),
                Ok(_) => Err("it is no JSON object".into()),
                Err(e) => Err(format!("it is no JSON object: {e}")),
            }
        });
        parsed.inspect_err(|reason| self.remarks.push(format!("{what} is left out: {reason}"))).ok()
    }

    fn note(&mut self, entries: &Map<String, Value>, facts: &mut Facts) {
        let mut note = |name: &str, value: &Value| facts.note(name, value.clone(), Origin::Config);
        match entries.get("architecture") {
            Some(name @ Value::String(_)) => note("architecture", name),
            Some(Value::Null) | None => {}
            Some(_) => self.remarks.push("config.json's 'architecture' is no name and is left out".into()),
        }
        // Older files have at the top what now is in `pretrained_cfg`.
        let inner = entries.get("pretrained_cfg").and_then(Value::as_object);
        let photos = inner.unwrap_or(entries);
        let entry = |name: &str| photos.get(name).filter(|value| !value.is_null() && *value != "");
        PREPROCESSING.iter().for_each(|name| _ = entry(name).map(|value| note(name, value)));
        for name in ["transform_input", "tag"].into_iter().chain(needs().map(|(name, _)| name)) {
            _ = entries.get(name).or_else(|| entry(name)).map(|value| note(name, value));
        }
        ["model_args", "global_pool", "model_type"].iter().for_each(|n| _ = entries.get(*n).map(|v| note(n, v)));
        if let Some(transform) = entries.get("model_args").and_then(|arguments| arguments.get("transform_input")) {
            note("transform_input", transform);
        }
        let multi_label = entries.get("problem_type").is_some_and(|v| v == "multi_label_classification")
            || entries.get("multi_label").is_some_and(|v| v == true);
        if multi_label {
            note("scores", &json!("sigmoid"));
        }
        let is_timm = entries.contains_key("architecture") && PREPROCESSING.iter().any(|name| entry(name).is_some());
        if is_timm {
            // `resolve_data_config` fills in what such a file leaves out.
            facts.note("interpolation", json!("bicubic"), Origin::Library);
            facts.note("crop_pct", json!(0.875), Origin::Library);
            facts.note("crop_mode", json!("center"), Origin::Library);
        }
        let lists = [entries, photos].into_iter().flat_map(|place| {
            ["label_names", "labels", "id2label", "class_to_idx", "class_names", "classes"].map(|name| place.get(name))
        });
        self.labels = lists.flatten().map(Labels::from_json).find(|labels| !labels.is_empty()).unwrap_or_default();
        let descriptions = [entries, photos].into_iter().find_map(|place| place.get("label_descriptions")?.as_object());
        if let Some(descriptions) = descriptions {
            self.labels.describe(|name| descriptions.get(name)?.as_str());
        }
    }
}

/// What is in a file, or why it cannot be read. None if there is no file.
fn contents(path: &Path) -> Option<Result<Vec<u8>, String>> {
    match files::read(path, Kind::Regular, LARGEST) {
        Err(Error::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => None,
        Err(Error::Read { source, .. }) => Some(Err(source.to_string())),
        other => Some(other.map(|content| content.to_vec()).map_err(|e| e.to_string())),
    }
}

/// transformers' image processors.
fn note_processor(entries: &Map<String, Value>, facts: &mut Facts) {
    let flag = |name: &str| entries.get(name).is_none_or(|value| value != false);
    let side = |value: &Value| value.as_u64().or_else(|| value.get("shortest_edge")?.as_u64());
    let sides = |value: &Value| Some(json!([value.get("height")?.as_u64()?, value.get("width")?.as_u64()?]));
    let size = entries.get("size");
    let crop = entries.get("crop_size").filter(|_| flag("do_center_crop"));
    let crop = crop.and_then(|crop| side(crop).map(|side| json!([side, side])).or_else(|| sides(crop)));
    let mut note = |name: &str, value: Value| facts.note(name, value, Origin::Config);
    match (size.and_then(side), size.and_then(sides), entries.get("crop_pct").and_then(Value::as_f64)) {
        // ConvNextImageProcessor: small ones are cropped by crop_pct, large ones squeezed.
        (Some(side), _, Some(pct)) => {
            note("input_size", json!([side, side]));
            if side < 384 {
                note("resize", json!((side as f64 / pct) as u64));
            } else {
                note("crop_pct", json!(1.0));
                note("crop_mode", json!("squash"));
            }
        }
        (Some(side), ..) => {
            note("input_size", crop.unwrap_or_else(|| json!([side, side])));
            note("resize", json!(side));
        }
        (None, Some(both), _) => {
            note("input_size", crop.unwrap_or_else(|| both.clone()));
            note("resize", both);
            note("crop_mode", json!("squash"));
        }
        _ => {}
    }
    // Pillow's numbers of its filters.
    let filters = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"];
    if let Some(filter) = entries.get("resample").and_then(Value::as_u64).and_then(|n| filters.get(n as usize)) {
        note("interpolation", json!(filter));
    }
    if flag("do_normalize") {
        ["mean", "std"].iter().for_each(|n| _ = entries.get(&format!("image_{n}")).map(|v| note(n, v.clone())));
    } else {
        note("mean", json!(0.0));
        note("std", json!(1.0));
    }
}
