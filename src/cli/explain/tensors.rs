//! Safetensors files: tensors to explain, and explanations as tensors.

use std::path::{Path, PathBuf};

use gradcam::picture::write_atomically;
use gradcam::{Batch, Error, Model, Result};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

/// Normalised images and, if the file has them, the classes of each.
pub struct Tensors {
    /// `[n, 3, h, w]`.
    pub shape: [usize; 4],
    /// Row-major.
    pub values: Vec<f32>,
    /// The classes of each image, equally many for all images.
    pub classes: Option<Vec<Vec<usize>>>,
}

impl Tensors {
    /// Reads "input" and "classes" from a file.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Weights`] if the file is damaged or holds other tensors.
    pub fn open(path: &Path, model: &Model) -> Result<Self> {
        let fail = |reason: String| Error::Weights { what: path.display().to_string(), reason };
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| fail(format!("not a whole safetensors file: {e}")))?;
        let input = file.tensor("input").map_err(|_| fail("has no tensor \"input\"".into()))?;
        let shape = match (input.dtype(), input.shape()) {
            (Dtype::F32, &[n, 3, h, w]) if n * h * w > 0 => [n, 3, h, w],
            (dtype, shape) => {
                return Err(fail(format!("\"input\" is {dtype:?} {shape:?}; F32 [n, 3, height, width] is needed")));
            }
        };
        let values: Vec<f32> = bytemuck::pod_collect_to_vec(input.data());
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(fail(format!("\"input\" holds {} at {at}", values[at])));
        }
        let classes = match file.tensor("classes") {
            Err(_) => None,
            Ok(classes) => {
                let n = shape[0];
                if classes.data().is_empty()
                    || classes.dtype() != Dtype::I64
                    || !matches!(*classes.shape(), [m] | [m, _] if m == n)
                {
                    let found = format!("{:?} {:?}", classes.dtype(), classes.shape());
                    return Err(fail(format!("\"classes\" is {found}; I64 [{n}] or [{n}, k] is needed")));
                }
                let numbers: Vec<i64> = bytemuck::pod_collect_to_vec(classes.data());
                let numbers: Vec<usize> = numbers
                    .iter()
                    .map(|&c| {
                        let class = usize::try_from(c).ok().filter(|c| *c < model.classes());
                        let last = model.classes() - 1;
                        class.ok_or_else(|| fail(format!("\"classes\" holds {c}; the model's classes are 0 to {last}")))
                    })
                    .collect::<Result<_>>()?;
                Some(numbers.chunks(numbers.len() / n).map(<[usize]>::to_vec).collect())
            }
        };
        Ok(Self { shape, values, classes })
    }
}

/// Collects explanations of several batches for one file.
#[derive(Default)]
pub struct Collected {
    images: usize,
    logits: Vec<f32>,
    classes: Vec<i64>,
    cam: Vec<f32>,
    heatmap: Vec<f32>,
    maps: usize,
    layer_size: [usize; 2],
    input_size: [usize; 2],
}

/// Fails if no file can be written at `path`, or if it would overwrite one of the files `read`.
///
/// # Errors
/// [`Error::Write`] or [`Error::Request`].
pub fn check_place(path: &Path, read: &[PathBuf]) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Tests this the way the file will be written: under a temporary name, which is removed again.
    let attempt = std::fs::metadata(folder).and_then(|_| tempfile::NamedTempFile::new_in(folder));
    attempt.map_err(|e| Error::Write { path: path.to_owned(), source: e.kind().into() })?;
    let same = |other: &PathBuf| other.canonicalize().is_ok_and(|o| path.canonicalize().is_ok_and(|p| p == o));
    let refuse = |why: &str| Err(Error::Request(format!("{}: {why}; choose another --save-tensors", path.display())));
    if path.is_dir() {
        return refuse("is a folder");
    }
    if read.iter().any(same) {
        return refuse("would write over what is read");
    }
    Ok(())
}

impl Collected {
    /// Adds a batch that has logits, raw maps and heat maps.
    pub fn add(&mut self, batch: &Batch) {
        self.layer_size = batch.layer_size;
        for explanation in &batch.explanations {
            self.images += 1;
            self.maps = explanation.heatmaps.len();
            self.logits.extend(explanation.logits.iter().flatten());
            for heatmap in &explanation.heatmaps {
                self.classes.push(heatmap.prediction.class as i64);
                self.cam.extend(heatmap.raw.iter().flat_map(|m| &m.values));
                if let Some(map) = &heatmap.heatmap {
                    self.input_size = [map.height, map.width];
                    self.heatmap.extend(&map.values);
                }
            }
        }
    }

    /// Writes "logits", "classes", "cam" and "heatmap".
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let (n, k) = (self.images, self.maps);
        let map = |[h, w]: [usize; 2]| vec![n, k, h, w];
        let tensors: [(&str, Dtype, Vec<usize>, &[u8]); 4] = [
            ("logits", Dtype::F32, vec![n, self.logits.len() / n.max(1)], bytemuck::cast_slice(&self.logits)),
            ("classes", Dtype::I64, vec![n, k], bytemuck::cast_slice(&self.classes)),
            ("cam", Dtype::F32, map(self.layer_size), bytemuck::cast_slice(&self.cam)),
            ("heatmap", Dtype::F32, map(self.input_size), bytemuck::cast_slice(&self.heatmap)),
        ];
        let fail = |e: safetensors::SafeTensorError| Error::Request(e.to_string());
        let views =
            tensors.into_iter().map(|(name, dtype, shape, data)| Ok((name, TensorView::new(dtype, shape, data)?)));
        let views = views.collect::<Result<Vec<_>, _>>().map_err(fail)?;
        let bytes = serialize(views, None).map_err(fail)?;
        write_atomically(path, |out| out.write_all(&bytes))
    }
}
