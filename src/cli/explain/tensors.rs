//! Tensors to explain, from a safetensors file.

use std::path::Path;

use gradcam::{Error, Model, Result};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

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
