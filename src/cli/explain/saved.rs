//! Explanations as tensors of a safetensors file. Each image's rows are written when it is explained, so that memory
//! does not grow with the number of images.

use std::collections::BTreeMap;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gradcam::files::{Unfinished, write_atomically};
use gradcam::{Error, Explanation, Result};
use serde_json::{Map, Value, json};

/// The longest header that readers of safetensors take, in bytes.
const LONGEST: usize = 100_000_000;
/// Bytes of the header that are kept for the reasons of failures: for each image, in all, and at least.
const REASON: usize = 256;
const REASONS: usize = 1 << 20;
const SPARE: usize = 1024;

/// A kind of number: its name, and the bytes that stand for a missing one.
type Kind = (&'static str, &'static [u8]);
const F32: Kind = ("F32", &f32::NAN.to_le_bytes());
const I64: Kind = ("I64", &(-1_i64).to_le_bytes());

/// A tensor with a row for each image.
struct Tensor {
    name: &'static str,
    kind: Kind,
    /// Shape of a row.
    shape: Vec<usize>,
    /// Its begin in the file.
    begin: u64,
}

impl Tensor {
    /// Bytes of a row.
    fn row(&self) -> u64 {
        (self.shape.iter().product::<usize>() * self.kind.1.len()) as u64
    }
}

/// The file of a run.
pub struct Saved {
    path: PathBuf,
    file: Unfinished,
    /// The images in order.
    names: Arc<[String]>,
    /// What the network is, for the metadata.
    about: Map<String, Value>,
    /// Whether each has its rows.
    ok: Vec<u8>,
    failed: BTreeMap<usize, String>,
    /// Empty before the first image, whose explanation tells the sizes.
    tensors: Vec<Tensor>,
    /// Bytes of the header, with its length before it.
    header: u64,
}

impl Saved {
    /// Begins the file for these images. None of the files `read` is overwritten.
    ///
    /// # Errors
    /// [`Error::Write`] or [`Error::Request`] if the file cannot be written there.
    pub fn new<'a>(
        path: &Path,
        names: Arc<[String]>,
        about: Map<String, Value>,
        mut read: impl Iterator<Item = &'a PathBuf>,
    ) -> Result<Self> {
        let refuse =
            |why: &str| Err(Error::Request(format!("{}: {why}; choose another --save-tensors", path.display())));
        let same = |other: &PathBuf| other.canonicalize().is_ok_and(|o| path.canonicalize().is_ok_and(|p| p == o));
        if path.is_dir() {
            return refuse("is a folder");
        }
        if read.any(same) {
            return refuse("would write over what is read");
        }
        if path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("safetensors")) {
            let right = path.with_extension("safetensors");
            return refuse(&format!("tensors are written as .safetensors, such as {}", right.display()));
        }
        let ok = vec![0; names.len()];
        let (tensors, failed) = (vec![], BTreeMap::new());
        let file = Unfinished::new(path)?;
        Ok(Self { path: path.to_owned(), file, names, about, ok, failed, tensors, header: 0 })
    }

    /// Writes the rows of an image.
    ///
    /// # Errors
    /// [`Error::Write`], or [`Error::Request`] if its maps have other sizes than those before.
    pub fn add(&mut self, image: usize, explanation: &Explanation) -> Result<()> {
        let maps = &explanation.heatmaps;
        let classes: Vec<i64> = maps.iter().map(|map| map.prediction.class as i64).collect();
        let logits = explanation.logits.as_deref().unwrap_or_default();
        let values = |maps: Vec<&gradcam::Map>| {
            let sides = maps.first().map(|map| [map.height, map.width])?;
            Some((vec![maps.len(), sides[0], sides[1]], maps.iter().flat_map(|map| &map.values).copied().collect()))
        };
        // Several layers have no raw map in common.
        let cam: Option<(_, Vec<f32>)> = values(maps.iter().filter_map(|map| map.raw.as_ref()).collect());
        let heatmap: Option<(_, Vec<f32>)> = values(maps.iter().filter_map(|map| map.heatmap.as_ref()).collect());
        let tensor = |name, kind, shape: &[usize]| Tensor { name, kind, shape: shape.to_vec(), begin: 0 };
        let mut rows: Vec<(Tensor, &[u8])> = vec![
            (tensor("classes", I64, &[classes.len()]), bytemuck::cast_slice(&classes)),
            (tensor("logits", F32, &[logits.len()]), bytemuck::cast_slice(logits)),
        ];
        for (name, map) in [("cam", &cam), ("heatmap", &heatmap)] {
            rows.extend(map.iter().map(|(shape, values)| (tensor(name, F32, shape), bytemuck::cast_slice(values))));
        }
        let (tensors, rows): (Vec<Tensor>, Vec<&[u8]>) = rows.into_iter().unzip();
        if self.tensors.is_empty() {
            self.lay_out(tensors);
        } else if !tensors.iter().map(|t| (t.name, &t.shape)).eq(self.tensors.iter().map(|t| (t.name, &t.shape))) {
            let reason = "its maps have another size than those before, which one tensor cannot hold; explain it apart";
            return Err(Error::Request(format!("{}: {reason}", self.names[image])));
        }
        for (tensor, row) in self.tensors.iter().zip(rows) {
            write_at(&mut self.file, tensor.begin + image as u64 * tensor.row(), row)?;
        }
        self.ok[image] = 1;
        Ok(())
    }

    /// Notes that an image has no rows.
    pub fn fail(&mut self, image: usize, reason: &str) {
        self.failed.insert(image, reason.to_owned());
    }

    /// Completes the file. Without any explained image there is none.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn finish(mut self) -> Result<()> {
        if self.tensors.is_empty() {
            return Ok(());
        }
        for tensor in &self.tensors {
            let row = tensor.kind.1.repeat(tensor.shape.iter().product());
            for image in (0..self.ok.len()).filter(|image| self.ok[*image] == 0) {
                write_at(&mut self.file, tensor.begin + image as u64 * tensor.row(), &row)?;
            }
        }
        for image in (0..self.ok.len()).filter(|image| self.ok[*image] == 0) {
            self.failed.entry(image).or_insert_with(|| "not reached".into());
        }
        let end = self.end();
        write_at(&mut self.file, end, &self.ok)?;
        let room = self.header as usize - 8;
        let mut header = self.header_with(self.index());
        if header.len() > room {
            header = self.header_with(self.index_apart()?);
        }
        header += &" ".repeat(room.saturating_sub(header.len()));
        write_at(&mut self.file, 0, &[&(room as u64).to_le_bytes(), header.as_bytes()].concat())?;
        self.file.finish()
    }

    /// Fixes the tensors' places, for all images.
    fn lay_out(&mut self, tensors: Vec<Tensor>) {
        self.tensors = tensors;
        // Offsets are not known yet, and the reasons of failures neither.
        let spare = SPARE + (REASON * self.names.len()).min(REASONS);
        let whole = self.header_with(self.index()).len() + spare;
        let room = if whole > LONGEST { spare } else { whole };
        self.header = (8 + room).next_multiple_of(8) as u64;
        let mut begin = self.header;
        for tensor in &mut self.tensors {
            tensor.begin = begin;
            begin += tensor.row() * self.names.len() as u64;
        }
    }

    /// The end of the tensors of numbers, where "ok" begins.
    fn end(&self) -> u64 {
        self.tensors.last().map_or(0, |last| last.begin + last.row() * self.names.len() as u64)
    }

    /// The header as text. The values of its metadata are texts.
    fn header_with(&self, index: Value) -> String {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let about = self.about.iter().map(|(name, value)| (name.clone(), text(value).into()));
        let index = index.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
        let index: Value = about.chain(index).collect();
        let entry = |dtype: &str, shape: Vec<usize>, begin: u64, bytes: u64| {
            let begin = begin.saturating_sub(self.header);
            json!({"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + bytes]})
        };
        let n = self.names.len();
        let mut header = serde_json::Map::from_iter([("__metadata__".to_owned(), index)]);
        for tensor in &self.tensors {
            let shape = [&[n], &tensor.shape[..]].concat();
            header.insert(tensor.name.into(), entry(tensor.kind.0, shape, tensor.begin, tensor.row() * n as u64));
        }
        header.insert("ok".into(), entry("U8", vec![n], self.end(), n as u64));
        Value::Object(header).to_string()
    }

    /// The images and the reasons of failures.
    fn index(&self) -> Value {
        // Texts can always be encoded.
        let [images, failed] = [serde_json::to_string(&self.names[..]), serde_json::to_string(&self.failed)];
        json!({"images": images.unwrap_or_default(), "failed": failed.unwrap_or_default()})
    }

    /// Writes the index to a file of its own, a line for each image, and returns its name.
    fn index_apart(&self) -> Result<Value> {
        let path = self.path.with_extension("index.jsonl");
        write_atomically(&path, |out| {
            for (image, name) in self.names.iter().enumerate() {
                writeln!(out, "{}", json!({"index": image, "image": name, "failed": self.failed.get(&image)}))?;
            }
            Ok(())
        })?;
        Ok(json!({"index": path.file_name().map(|name| name.to_string_lossy())}))
    }
}

fn write_at(file: &mut Unfinished, at: u64, bytes: &[u8]) -> Result<()> {
    file.write(|file| {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    })
}
