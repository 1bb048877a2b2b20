//! Pictures: decoded from files and bytes, or taken from arrays; and overlays on them.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use gradcam::files::write_atomically;
use gradcam::picture::{Format, Turn, Window, encode as encoded};
use gradcam::{Error, Map, Overlay, Photo, Style};
use numpy::{PyArray1, PyArray3, PyArrayMethods, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::raised;

/// Where a picture comes from. It is decoded on another thread, without Python.
pub enum Source {
    Path(PathBuf),
    File(String, Vec<u8>),
    Pixels(String, Mutex<Option<Box<Photo>>>),
}

impl Source {
    /// A path; the bytes of a file; or an array of bytes `[H,W,3]`, or of 1 or 4 channels. `name` is for errors.
    pub fn of(name: String, given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = given.cast::<PyBytes>() {
            return Ok(Self::File(name, bytes.as_bytes().to_vec()));
        }
        if let Ok(pixels) = given.extract::<PyReadonlyArray3<'_, u8>>() {
            let photo = pixels_of(&name, &pixels).map_err(raised)?;
            return Ok(Self::Pixels(name, Mutex::new(Some(Box::new(photo)))));
        }
        let path = given.extract::<PathBuf>();
        path.map(Self::Path)
            .map_err(|_| PyTypeError::new_err("a picture is a path, bytes, or an array of uint8 [H,W,C]"))
    }

    /// Decodes the picture.
    fn open(&self) -> gradcam::Result<Photo> {
        match self {
            Self::Path(path) => Photo::open(path),
            Self::File(name, bytes) => Photo::decode(name, bytes),
            Self::Pixels(..) => self.pixels(),
        }
    }

    /// Decodes the picture in its turn.
    pub fn open_in(&self, turn: &Turn<'_>) -> gradcam::Result<Photo> {
        match self {
            Self::Path(path) => turn.open(path, Window::default()),
            Self::File(name, bytes) => turn.decode(name, bytes, Window::default()),
            Self::Pixels(..) => self.pixels(),
        }
    }

    /// The picture of an array, which is there once.
    fn pixels(&self) -> gradcam::Result<Photo> {
        match self {
            Self::Pixels(name, photo) => match photo.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(photo) => Ok(*photo),
                None => Err(Error::Picture { what: name.clone(), reason: "was taken already".into() }),
            },
            _ => unreachable!("it is a file"),
        }
    }
}

/// A picture of the array's bytes, whatever its strides.
fn pixels_of(name: &str, pixels: &PyReadonlyArray3<'_, u8>) -> gradcam::Result<Photo> {
    let pixels = pixels.as_array();
    let (height, width, channels) = pixels.dim();
    let mut rgba = Vec::with_capacity(height.saturating_mul(width).saturating_mul(4));
    for pixel in pixels.rows() {
        match (channels, pixel.as_slice()) {
            (3, Some(&[r, g, b])) => rgba.extend([r, g, b, 255]),
            (4, Some(&[r, g, b, a])) => rgba.extend([r, g, b, a]),
            (1, _) => rgba.extend([pixel[0], pixel[0], pixel[0], 255]),
            (3, None) => rgba.extend([pixel[0], pixel[1], pixel[2], 255]),
            (4, None) => rgba.extend([pixel[0], pixel[1], pixel[2], pixel[3]]),
            _ => {
                let reason = format!("has {channels} channels; 1, 3 or 4 in the last axis make a picture: [H,W,C]");
                return Err(Error::Picture { what: name.to_owned(), reason });
            }
        }
    }
    let side = |side| u32::try_from(side).unwrap_or(u32::MAX);
    Photo::from_rgba(name, side(width), side(height), rgba)
}

/// The heat map's colours over the part of a picture that the network saw: bytes `[H,W,3]`.
#[pyfunction]
pub fn overlay<'py>(
    py: Python<'py>,
    picture: &Bound<'py, PyAny>,
    crop: [f64; 4],
    heatmap: PyReadonlyArray2<'py, f32>,
    alpha: f32,
    colormap: &str,
    signed: bool,
) -> PyResult<Bound<'py, PyArray3<u8>>> {
    let source = Source::of("the picture".into(), picture)?;
    let (height, width) = heatmap.as_array().dim();
    let map = Map { height, width, values: heatmap.as_array().iter().copied().collect() };
    let draw = || {
        if !(0.0..=1.0).contains(&alpha) {
            return Err(Error::Request(format!("alpha is {alpha}; it lies between 0 and 1")));
        }
        let style = Style::default().alpha(alpha).colormap(colormap.parse()?);
        let photo = source.open()?;
        Overlay::over(&photo, crop, &map, style, signed)
    };
    let Overlay { width, height, mut rgba } = py.detach(draw).map_err(raised)?;
    for pixel in 0..rgba.len() / 4 {
        rgba.copy_within(pixel * 4..pixel * 4 + 3, pixel * 3);
    }
    rgba.truncate(rgba.len() / 4 * 3);
    PyArray1::from_vec(py, rgba).reshape([height as usize, width as usize, 3])
}

/// Writes a file, completely or not at all.
#[pyfunction]
pub fn write(py: Python<'_>, path: PathBuf, content: &[u8]) -> PyResult<()> {
    py.detach(|| write_atomically(&path, |out| out.write_all(content))).map_err(raised)
}

/// The bytes of a PNG or JPEG file of an array `[H,W,3]`.
#[pyfunction]
pub fn encode<'py>(py: Python<'py>, pixels: PyReadonlyArray3<'py, u8>, format: &str) -> PyResult<Bound<'py, PyBytes>> {
    let photo = pixels_of("the picture", &pixels).map_err(raised)?;
    let format = if format == "jpg" { Format::Jpeg } else { Format::Png };
    let bytes = py.detach(|| encoded(format, photo.width(), photo.height(), photo.rgba())).map_err(raised)?;
    Ok(PyBytes::new(py, &bytes))
}
