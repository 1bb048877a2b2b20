//! Explanations of tensors, and explanations as tensors, in safetensors files.

use std::path::Path;

use gradcam::picture::write_atomically;
use gradcam::{Batch, Error, Result};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

/// Normalised images and, if the file names them, the classes of each.
pub struct Tensors {
    /// `[n, 3, h, w]`.
    pub shape: [usize; 4],
    /// Row-major.
    pub values: Vec<f32>,
    /// For each image equally many.
    pub classes: Option<Vec<Vec<usize>>>,
}

impl Tensors {
    /// Reads "input" and "classes" of a file.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Weights`] if the file is damaged or holds other tensors.
    pub fn open(path: &Path) -> Result<Self> {
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
        let values = bytemuck::pod_collect_to_vec(input.data());
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
                    .map(|&c| usize::try_from(c).map_err(|_| fail(format!("\"classes\" holds {c}"))))
                    .collect::<Result<_>>()?;
                Some(numbers.chunks(numbers.len() / n).map(<[usize]>::to_vec).collect())
            }
        };
        Ok(Self { shape, values, classes })
    }
}

/// Gathers explanations of several batches for one file.
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
