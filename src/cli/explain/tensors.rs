//! Tensors to explain, from a safetensors file or a NumPy array.

use std::path::Path;

use gradcam::files::{self, Kind};
use gradcam::model::numbers;
use gradcam::{Error, Model, Result};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use super::npy;

/// Normalised images and, if the file has them, the classes of each.
pub struct Tensors {
    /// `[n, channels, h, w]`.
    pub shape: [usize; 4],
    /// Row-major.
    pub values: Vec<f32>,
    /// The classes of each image, equally many for all images.
    pub classes: Option<Vec<Vec<usize>>>,
}

impl Tensors {
    /// Reads "input" and "classes" from a file. One image may come without `n`. An array has no classes.
    ///
    /// # Errors
    /// [`Error::Read`], or [`Error::Weights`] if the file is damaged or holds other tensors.
    pub fn open(path: &Path, model: &Model) -> Result<Self> {
        let bytes = files::read(path, Kind::Named, u64::MAX)?;
        Self::parse(&path.display().to_string(), &bytes, model)
    }

    /// Reads them from a file's bytes; `what` names it in errors.
    ///
    /// # Errors
    /// As [`Tensors::open`].
    pub fn parse(what: &str, bytes: &[u8], model: &Model) -> Result<Self> {
        let fail = |reason: String| Error::Weights { what: what.to_owned(), reason };
        if npy::is_array(bytes) {
            let (shape, format, values) = npy::parse(bytes).map_err(fail)?;
            let (shape, values) = images(&shape, format, values, model).map_err(fail)?;
            return Ok(Self { shape, values, classes: None });
        }
        let file = SafeTensors::deserialize(bytes).map_err(|e| fail(format!("not a whole safetensors file: {e}")))?;
        let named = |name: &str| file.tensor(name).ok();
        let input = named("input").or_else(|| named("pixel_values")).or_else(|| named("images"));
        let input = input.ok_or_else(|| {
            let names: Vec<&str> = file.names().into_iter().take(5).collect();
            fail(format!("has no tensor \"input\", but {}", names.join(", ")))
        })?;
        let (shape, values) = images(input.shape(), input.dtype(), input.data(), model).map_err(fail)?;
        let classes = match file.tensor("classes") {
            Err(_) => None,
            Ok(classes) => {
                let n = shape[0];
                let numbers: Option<Vec<i64>> = match classes.dtype() {
                    Dtype::I64 => Some(bytemuck::pod_collect_to_vec(classes.data())),
                    Dtype::I32 => {
                        let numbers: Vec<i32> = bytemuck::pod_collect_to_vec(classes.data());
                        Some(numbers.into_iter().map(i64::from).collect())
                    }
                    _ => None,
                };
                let fits = !classes.data().is_empty() && matches!(*classes.shape(), [m] | [m, _] if m == n);
                let Some(numbers) = numbers.filter(|_| fits) else {
                    let found = format!("{:?} {:?}", classes.dtype(), classes.shape());
                    return Err(fail(format!("\"classes\" is {found}; I64 or I32 [{n}] or [{n}, k] is needed")));
                };
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

/// The shape with the number of images, and the numbers as f32.
fn images(shape: &[usize], format: Dtype, bytes: &[u8], model: &Model) -> Result<([usize; 4], Vec<f32>), String> {
    let channels = model.preprocess.channels();
    let shape = match *shape {
        [n, c, h, w] if c == channels && ![n, h, w].contains(&0) => [n, c, h, w],
        [c, h, w] if c == channels && ![h, w].contains(&0) => [1, c, h, w],
        _ => {
            let needed = format!("[n, {channels}, height, width], or one image without n, is needed");
            return Err(format!("\"input\" is {format:?} {shape:?}; {needed}"));
        }
    };
    let values =
        numbers(format, bytes).ok_or_else(|| format!("\"input\" is {format:?}; F32, F64, F16 or BF16 is needed"))?;
    match values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(format!("\"input\" holds {} at {at}", values[at])),
        None => Ok((shape, values.to_vec())),
    }
}
