//! Finds and reads the weights that a path means: a file of any known kind, a file in several parts, or a folder.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::tensors::{Weights, fail};
use super::{pytorch, safetensors};
use crate::error::{Error, Result};
use crate::files::{self, Kind};
use crate::memory;

/// The names of weights in a folder, as the Hugging Face hub has them, the preferred one first.
const NAMES: [&str; 6] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "open_clip_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "model.pth",
];

/// Kinds of files that are no weights file of a network here: how they begin, what they are, and the remedy.
const OTHERS: [(&[u8], &str, &str); 7] = [
    (b"\x89HDF\r\n", "an HDF5 file, as Keras writes", "export the network's weights from PyTorch"),
    (b"\x93NUMPY", "a NumPy array", "save a state_dict with safetensors.torch.save_file"),
    (b"GGUF", "a GGUF file", "GGUF holds language models; save a state_dict as safetensors"),
    (b"\x80\x02", "a PyTorch file of before version 1.6", "load it and torch.save its state_dict() again"),
    (b"<", "an HTML or XML page", "download the file itself"),
    (b"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself with `git lfs pull`"),
    (b"{", "a JSON file", "name the weights file"),
];

/// What a file holds.
pub enum Content {
    /// Named tensors.
    Weights(Weights),
    /// A whole network in ONNX's format, in these bytes of the file of this name.
    Onnx(String, files::Content),
}

/// What is at `path`, and the folder in which more is said about it.
///
/// # Errors
/// [`Error::Read`] or [`Error::Weights`].
pub fn open(path: &Path) -> Result<(Content, PathBuf)> {
    let file = if path.is_dir() { inside(path)? } else { path.to_owned() };
    if let Some(index) = index_of(&file) {
        let reason = format!("is one of several parts of a model; name {}", index.display());
        return Err(fail(&file.display().to_string(), reason));
    }
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let what = file.display().to_string();
    let bytes = read(&file)?;
    if !what.ends_with(".index.json") {
        let content =
            if is_onnx(&bytes) { Content::Onnx(what, bytes) } else { Content::Weights(parse(&what, &bytes)?) };
        return Ok((content, folder));
    }
    // A file in several parts.
    let index = files::json(&what, &bytes)?.ok();
    let map = index.as_ref().and_then(|index| index.get("weight_map")?.as_object());
    let map = map.ok_or_else(|| fail(&what, "has no 'weight_map', which an index of weights has".into()))?;
    let mut parts: Vec<&str> = map.values().filter_map(Value::as_str).collect();
    parts.sort_unstable();
    parts.dedup();
    let mut weights = Weights::new(&what, vec![])?;
    for part in parts {
        if Path::new(part).file_name() != Some(part.as_ref()) {
            return Err(fail(&what, format!("its part {part:?} is no plain file name")));
        }
        let part = folder.join(part);
        weights.extend(parse(&part.display().to_string(), &read(&part)?)?);
    }
    match map.keys().find(|name| weights.shape(name).is_none() && !name.ends_with("num_batches_tracked")) {
        Some(name) => Err(fail(&what, format!("lists '{name}', which its parts do not hold; download them again"))),
        None => Ok((Content::Weights(weights), folder)),
    }
}

/// The weights in a file's bytes; `what` names it in errors.
///
/// # Errors
/// [`Error::Weights`] if it is damaged or of another kind.
pub fn parse(what: &str, bytes: &[u8]) -> Result<Weights> {
    // As f32, numbers of 16 bits need twice the room.
    let _room = memory::take(what, 2 * bytes.len() as u64)?;
    if bytes.starts_with(b"PK\x03\x04") {
        return pytorch::parse(what, bytes);
    }
    // A safetensors file begins with its header's length and the header, which is JSON.
    let is_safetensors = bytes.get(8) == Some(&b'{');
    let other = OTHERS.iter().find(|(begins, ..)| !is_safetensors && bytes.starts_with(begins));
    match other {
        Some((_, kind, remedy)) => Err(fail(what, format!("is {kind}, not a weights file; {remedy}"))),
        None => safetensors::parse(what, bytes),
    }
}

/// Whether a file is ONNX: protobuf that begins with a version of the format and goes on with the program that wrote it,
/// or the graph.
pub fn is_onnx(bytes: &[u8]) -> bool {
    matches!(bytes, [8, version, next, ..] if *version < 128 && [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].contains(next))
}

/// The index of the parts, of which the file is one, such as `model-00001-of-00002.safetensors`.
fn index_of(file: &Path) -> Option<PathBuf> {
    let (name, ending) = (file.file_stem()?.to_str()?, file.extension()?.to_str()?);
    let (part, _) = name.rsplit_once("-of-")?;
    let (whole, _) = part.rsplit_once('-')?;
    let index = file.with_file_name(format!("{whole}.{ending}.index.json"));
    index.is_file().then_some(index)
}

fn read(path: &Path) -> Result<files::Content> {
    files::read(path, Kind::Named, u64::MAX).map_err(|error| {
        let Error::Read { source, .. } = &error else { return error };
        let name = path.display().to_string();
        // As in `timm/resnet18.a1_in1k`.
        let is_hub_name = name.matches('/').count() == 1 && !name.starts_with(['.', '/']);
        if source.kind() == std::io::ErrorKind::NotFound && is_hub_name && path.parent().is_some_and(|p| !p.exists()) {
            let remedy =
                format!("download a model of the Hugging Face hub first: hf download {name} --local-dir FOLDER");
            return fail(&name, format!("no such file; {remedy}"));
        }
        error
    })
}

/// The weights file in a folder: of a usual name, or the only one of a known kind. In a hub's cache it is in the folder
/// of the snapshot.
fn inside(folder: &Path) -> Result<PathBuf> {
    let what = folder.display().to_string();
    if let Some(name) = NAMES.iter().find(|name| folder.join(name).is_file()) {
        return Ok(folder.join(name));
    }
    let entries = |folder: &Path| -> Result<Vec<PathBuf>> {
        let list = std::fs::read_dir(folder).and_then(|entries| entries.map(|e| Ok(e?.path())).collect());
        list.map_err(|source| Error::Read { path: folder.to_owned(), source })
    };
    let snapshots = folder.join("snapshots");
    if snapshots.is_dir() {
        let folders: Vec<PathBuf> = entries(&snapshots)?.into_iter().filter(|path| path.is_dir()).collect();
        return match &folders[..] {
            [one] => inside(one),
            several => Err(fail(&what, format!("holds {} snapshots of a model; name one of them", several.len()))),
        };
    }
    let known = ["safetensors", "pth", "pt", "bin", "ckpt", "onnx"];
    let ending = |path: &Path| path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let mut files = entries(folder)?;
    files.retain(|path| path.is_file() && ending(path).is_some_and(|ending| known.contains(&&*ending)));
    files.sort_unstable();
    match &files[..] {
        [one] => Ok(one.clone()),
        [] => Err(fail(&what, format!("no weights in this folder ({})", known.join(", ")))),
        several => {
            let names: Vec<String> = several.iter().map(|path| path.display().to_string()).collect();
            Err(fail(&what, format!("holds several weights files; name one: {}", names.join(", "))))
        }
    }
}
