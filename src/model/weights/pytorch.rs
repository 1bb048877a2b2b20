//! Reads the files of `torch.save`, since PyTorch 1.6: a zip archive of a pickle and of the numbers of each storage.
//!
//! A state dict, a checkpoint that holds one, and a whole model are read alike: every tensor in it, under the keys that
//! lead to it. Nothing in the file is run.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::sync::Arc;

use ::safetensors::Dtype;
use zip::ZipArchive;

use super::pickle::{Id, Pickle, Value};
use super::safetensors::numbers;
use super::tensors::{Weights, fail};
use crate::error::{Error, Result};
use crate::memory;

/// How deep dictionaries and modules may be nested, and how many values are looked at.
const DEEPEST: usize = 64;
const MOST: usize = 1 << 20;
/// How many times as large as the file its numbers may be, as f32: those of f16 are twice as large, storages and tensors are
/// both held, and tensors may share a storage.
const LARGER: usize = 16;
/// Bytes of a pickle's value, with its place in a list.
const VALUE: u64 = 96;

/// Parses the bytes of a file of `torch.save`; `what` names it in errors.
///
/// # Errors
/// [`crate::Error::Weights`] if the file is damaged, or is another zip archive.
pub fn parse(what: &str, bytes: &[u8]) -> Result<Weights> {
    let damaged = |reason: &str| fail(what, format!("not a whole file of torch.save: {reason}; save it again"));
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| damaged(&e.to_string()))?;
    let name = zip.file_names().flatten().find(|name| name.ends_with("data.pkl")).map(String::from);
    let Some(name) = name else {
        return Err(fail(what, "is a zip archive, but not of torch.save; name a weights file".into()));
    };
    let folder = name.trim_end_matches("data.pkl").to_owned();
    if zip.index_for_name(&format!("{folder}constants.pkl")).is_some() {
        let remedy = "save its state_dict() with torch.save or safetensors";
        return Err(fail(what, format!("is a TorchScript program, which is not read; {remedy}")));
    }
    if let Ok(order) = entry(&mut zip, &format!("{folder}byteorder"))
        && order != b"little"
    {
        return Err(fail(what, "was saved on a big-endian machine, which is not supported".into()));
    }
    let pickle = entry(&mut zip, &name).map_err(|e| damaged(&e))?;
    // A value for each byte, at most.
    let _room = memory::take(what, VALUE * pickle.len() as u64)?;
    let pickle = Pickle::parse(&pickle).ok_or_else(|| damaged("its pickle is damaged"))?;
    let mut found = Found { pickle: &pickle, tensors: vec![], looked_at: 0 };
    found.walk(pickle.whole(), "", 0).ok_or_else(|| damaged("its values are nested too deeply"))?;

    let mut weights = Weights::new(what, vec![])?;
    let mut storages: HashMap<String, Option<Arc<[f32]>>> = HashMap::new();
    let mut tensors = vec![];
    // Entries may lie over each other, and tensors share their numbers.
    let (mut shares, mut left) = (vec![], LARGER * bytes.len());
    let mut room = |numbers: usize| {
        let needed = numbers.saturating_mul(size_of::<f32>());
        left = left.checked_sub(needed).ok_or_else(|| damaged("its tensors are far larger than the file"))?;
        shares.push(memory::take(what, needed as u64)?);
        Ok::<_, Error>(())
    };
    for (name, tensor) in found.tensors.into_iter().filter(|(name, _)| !name.ends_with("num_batches_tracked")) {
        let Some(format) = format_of(&tensor.storage) else {
            weights.note_other(name, tensor.shape, tensor.storage);
            continue;
        };
        if !storages.contains_key(&tensor.key) {
            let bytes = entry(&mut zip, &format!("{folder}data/{}", tensor.key)).map_err(|e| damaged(&e))?;
            room(bytes.len() * 8 / format.bitsize())?;
            storages.insert(tensor.key.clone(), numbers(format, &bytes));
        }
        let storage = storages.get(&tensor.key).and_then(Option::as_ref);
        room(tensor.shape.iter().fold(1, |product: usize, extent| product.saturating_mul(*extent)))?;
        let values = storage.and_then(|storage| tensor.gather(storage));
        tensors.push((
            name.clone(),
            tensor.shape,
            values.ok_or_else(|| damaged(&format!("'{name}' lies outside it")))?,
        ));
    }
    weights.extend(Weights::new(what, tensors)?);
    if weights.names().next().is_none() {
        return Err(fail(what, "holds no tensors; save the network's state_dict()".into()));
    }
    Ok(weights)
}

/// The content of one entry. Its length is that of the archive at most, since such archives are not compressed.
fn entry(zip: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, String> {
    let mut content = vec![];
    let mut entry = zip.by_name(name).map_err(|e| format!("{name}: {e}"))?;
    entry.read_to_end(&mut content).map_err(|e| format!("{name}: {e}"))?;
    Ok(content)
}

/// The number format of a storage class, if networks have it.
fn format_of(storage: &str) -> Option<Dtype> {
    Some(match storage.rsplit('.').next()? {
        "DoubleStorage" => Dtype::F64,
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::BF16,
        _ => return None,
    })
}

/// A view of a storage.
struct Strided {
    /// The storage's class, and its entry in the archive.
    storage: String,
    key: String,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl Strided {
    /// The numbers in row-major order. None if they lie outside the storage, or are more than it has.
    fn gather(&self, storage: &Arc<[f32]>) -> Option<Arc<[f32]>> {
        let count = self.shape.iter().try_fold(1_usize, |product, extent| product.checked_mul(*extent))?;
        if count > storage.len() || self.shape.len() != self.strides.len() {
            return None;
        }
        let at = |mut index: usize| {
            self.shape.iter().zip(&self.strides).rev().try_fold(self.offset, |at, (extent, stride)| {
                let step = (index % extent).checked_mul(*stride)?;
                index /= extent;
                at.checked_add(step)
            })
        };
        (0..count).map(|index| storage.get(at(index)?).copied()).collect()
    }
}

/// The tensors in a pickle.
struct Found<'a> {
    pickle: &'a Pickle,
    tensors: Vec<(String, Strided)>,
    looked_at: usize,
}

impl Found<'_> {
    /// Adds the tensors in a value, whose keys begin with `path`. None if there is no end to them.
    fn walk(&mut self, value: &Value, path: &str, depth: usize) -> Option<()> {
        self.looked_at += 1;
        if depth > DEEPEST || self.looked_at > MOST {
            return None;
        }
        let pickle = self.pickle;
        match value {
            Value::Dict(entries) => {
                for (key, value) in entries {
                    let key = match pickle.get(*key) {
                        Value::Text(text) => text.clone(),
                        Value::Int(number) => number.to_string(),
                        _ => continue,
                    };
                    self.walk(pickle.get(*value), &join(path, &key), depth + 1)?;
                }
            }
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.walk(pickle.get(*item), &join(path, &at.to_string()), depth + 1)?;
                }
            }
            Value::Made(function, arguments, state) => {
                if let Some(tensor) = self.tensor(*function, *arguments) {
                    self.tensors.push((path.to_owned(), tensor));
                } else if let (Value::Global(name), Value::List(arguments)) =
                    (pickle.get(*function), pickle.get(*arguments))
                    && name.ends_with("_rebuild_parameter")
                {
                    self.walk(pickle.get(*arguments.first()?), path, depth + 1)?;
                } else if let Some(Value::Dict(state)) = state.map(|state| pickle.get(state)) {
                    // A module holds its tensors and its children under these names. They are no part of the path.
                    let parts = state.iter().filter(|(key, _)| {
                        let own = ["_parameters", "_buffers", "_modules"];
                        matches!(pickle.get(*key), Value::Text(key) if own.contains(&&**key))
                    });
                    for (_, part) in parts {
                        self.walk(pickle.get(*part), path, depth + 1)?;
                    }
                }
            }
            _ => {}
        }
        Some(())
    }

    /// The tensor that `torch._utils._rebuild_tensor_v2` makes of these arguments.
    fn tensor(&self, function: Id, arguments: Id) -> Option<Strided> {
        let pickle = self.pickle;
        let list = |id: Id| if let Value::List(items) = pickle.get(id) { Some(items) } else { None };
        let text = |id: Id| match pickle.get(id) {
            Value::Text(text) | Value::Global(text) => Some(text.clone()),
            _ => None,
        };
        let number =
            |id: Id| if let Value::Int(number) = pickle.get(id) { usize::try_from(*number).ok() } else { None };
        let numbers = |id: Id| list(id)?.iter().map(|id| number(*id)).collect::<Option<Vec<usize>>>();
        let is_tensor =
            matches!(pickle.get(function), Value::Global(name) if name.starts_with("torch._utils._rebuild_tensor"));
        let &[storage, offset, shape, strides, ..] = list(arguments).filter(|_| is_tensor)?.as_slice() else {
            return None;
        };
        let Value::Persistent(storage) = pickle.get(storage) else { return None };
        let &[_, class, key, ..] = list(*storage)?.as_slice() else { return None };
        Some(Strided {
            storage: text(class)?,
            key: text(key)?,
            offset: number(offset)?,
            shape: numbers(shape)?,
            strides: numbers(strides)?,
        })
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::super::tensors::Problem;
    use super::*;

    macro_rules! data {
        ($name:literal) => {
            include_bytes!(concat!("../../../tests/data/", $name))
        };
    }

    /// Views of a shared storage, other formats, and a counter; see `tools/make_checkpoints.py`.
    #[test]
    fn a_checkpoint() {
        let weights = parse("checkpoint.pth", data!("checkpoint.pth")).unwrap();
        let is = |name: &str, shape: &[usize], values: &[f32]| {
            let name = format!("state_dict.{name}");
            let found = weights.fitting(&name, shape).unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
            assert_eq!(&*found, values, "{name}");
        };
        let eighths = |numbers: &[usize]| numbers.iter().map(|n| *n as f32 / 8.0).collect::<Vec<f32>>();
        is("plain", &[4, 6], &eighths(&(0..24).collect::<Vec<_>>()));
        let transposed: Vec<usize> = (0..6).flat_map(|column| (0..4).map(move |row| row * 6 + column)).collect();
        is("transposed", &[6, 4], &eighths(&transposed));
        is("part", &[2, 3], &eighths(&[8, 9, 10, 14, 15, 16]));
        ["half", "bfloat", "double"].iter().for_each(|name| is(name, &[4], &eighths(&[0, 1, 2, 3])));
        is("scalar", &[], &[2.5]);
        is("empty", &[0, 3], &[]);
        is("parameter", &[3], &eighths(&[0, 1, 2]));
        let Err(Problem::Format(format)) = weights.fitting("state_dict.counter", &[]) else { panic!("a counter") };
        assert!(format.contains("LongStorage"), "{format}");
        assert_eq!(weights.names().count(), 10);
    }

    #[test]
    fn a_whole_model() {
        let weights = parse("whole.pth", data!("whole.pth")).unwrap();
        let names: Vec<&str> = weights.names().collect();
        assert_eq!(names, ["0.bias", "0.weight", "1.bias", "1.running_mean", "1.running_var", "1.weight"]);
        assert_eq!(&*weights.fitting("1.weight", &[2]).unwrap(), [2.0, 3.0]);
    }

    #[test]
    fn other_files_are_named() {
        // A hundred tensors are the same numbers: less than a file of 7 kB may ask for, were it many more.
        let views = parse("views.pth", data!("views.pth")).err().unwrap().to_string();
        assert!(
            views.contains("views.pth: not a whole file of torch.save: its tensors are far larger than the file"),
            "{views}"
        );
        let old = super::super::parse("old.pth", data!("old.pth")).err().unwrap().to_string();
        assert!(old.contains("before version 1.6"), "{old}");
        let script = parse("script.pth", data!("script.pth")).err().unwrap().to_string();
        assert!(script.contains("TorchScript"), "{script}");
    }

    /// No damage ends in a panic, or in memory without bound.
    #[test]
    fn damaged_files() {
        for whole in [&data!("checkpoint.pth")[..], data!("whole.pth")] {
            for end in (0..whole.len()).step_by(7) {
                drop(parse("cut", &whole[..end]));
            }
            let mut random = 1_u64;
            for _ in 0..4000 {
                let mut damaged = whole.to_vec();
                for _ in 0..4 {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let at = (random >> 33) as usize % damaged.len();
                    damaged[at] = (random >> 24) as u8;
                }
                drop(parse("damaged", &damaged));
                // Past the checksums of the archive.
                if let Some(begin) = damaged.windows(2).position(|two| two == [0x80, 2]) {
                    drop(Pickle::parse(&damaged[begin..]));
                }
            }
        }
        // Lists in lists, each twice in the next: as many values as no memory holds.
        let bomb = [b"\x80\x02]".to_vec(), b"q\x00](h\x00h\x00e".repeat(64), b".".to_vec()].concat();
        let pickle = Pickle::parse(&bomb).unwrap();
        assert!(Found { pickle: &pickle, tensors: vec![], looked_at: 0 }.walk(pickle.whole(), "", 0).is_none());
        // Deeper than a stack.
        let deep = [b"\x80\x02".to_vec(), b"(".repeat(100_000), b"t".repeat(100_000), b".".to_vec()].concat();
        let pickle = Pickle::parse(&deep).unwrap();
        assert!(Found { pickle: &pickle, tensors: vec![], looked_at: 0 }.walk(pickle.whole(), "", 0).is_none());
    }
}
