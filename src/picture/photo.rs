//! Decoding of photos, with limits against hostile files.

use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbaImage};

use super::{Crop, jpeg};
use crate::error::{Error, Result};
use crate::model::Preprocess;

/// The largest number of pixels: 2²⁶, as a square of 8192.
const MAX_PIXELS: u64 = 1 << 26;
/// The smallest side in pixels. A smaller photo shows nothing to explain.
const MIN_SIDE: u32 = 8;
/// The largest file, in bytes.
const MAX_FILE: u64 = 1 << 30;
/// The most that a decoder may allocate, in bytes.
const MAX_ALLOCATION: u64 = 1 << 30;

/// A decoded photo, rotated upright.
///
/// ```
/// let grey = gradcam::Photo::from_rgba("grey", 32, 16, vec![128; 32 * 16 * 4])?;
/// assert_eq!((grey.width(), grey.height()), (32, 16));
/// # Ok::<(), gradcam::Error>(())
/// ```
#[derive(Clone)]
pub struct Photo {
    /// Its name, for errors and listings.
    pub name: String,
    pixels: RgbaImage,
    /// A network's input, if it was made in advance.
    input: Option<(Preprocess, Vec<u8>)>,
}

impl Photo {
    /// Decodes a picture file. The format (PNG, JPEG, WebP, GIF, BMP or TIFF) is recognised by the content.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Picture`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = |source| Error::Read { path: path.to_owned(), source };
        if path.is_dir() {
            return Err(read(std::io::ErrorKind::IsADirectory.into()));
        }
        let length = std::fs::metadata(path).map_err(read)?.len();
        if length > MAX_FILE {
            let reason = format!("{} MiB are too many for a picture", length >> 20);
            return Err(Error::Picture { what: path.display().to_string(), reason });
        }
        Self::decode(&path.display().to_string(), &std::fs::read(path).map_err(read)?)
    }

    /// Decodes the bytes of a picture file; `name` names it in errors.
    ///
    /// # Errors
    /// [`Error::Picture`].
    pub fn decode(name: &str, bytes: &[u8]) -> Result<Self> {
        let fail = |reason: String| Error::Picture { what: name.to_owned(), reason };
        let undecodable = |e: image::ImageError| match e {
            image::ImageError::Limits(_) => fail("decoding it would take too much memory".into()),
            e => fail(format!("cannot be decoded: {e}")),
        };
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| fail(e.to_string()))?;
        if reader.format().is_none() {
            return Err(fail("not a picture; PNG, JPEG, WebP, GIF, BMP and TIFF are supported".into()));
        }
        if reader.format() == Some(ImageFormat::Jpeg) {
            let undecodable = |reason: String| fail(format!("cannot be decoded: {reason}"));
            let (width, height) = jpeg::size(bytes).map_err(undecodable)?;
            check_size(name, width, height)?;
            let jpeg::Jpeg { pixels, orientation } = jpeg::decode(bytes).map_err(undecodable)?;
            let mut image = DynamicImage::ImageRgba8(pixels);
            image.apply_orientation(orientation);
            return Ok(Self { pixels: image.into_rgba8(), name: name.to_owned(), input: None });
        }
        let mut limits = Limits::default();
        limits.max_alloc = Some(MAX_ALLOCATION);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(undecodable)?;
        let (width, height) = decoder.dimensions();
        check_size(name, width, height)?;
        let orientation = decoder.orientation().map_err(undecodable)?;
        let mut image = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
        image.apply_orientation(orientation);
        Ok(Self { pixels: image.into_rgba8(), name: name.to_owned(), input: None })
    }

    /// A photo from RGBA bytes in row-major order.
    ///
    /// # Errors
    /// [`Error::Picture`] if there are not `width · height · 4` bytes, or too few or too many pixels.
    pub fn from_rgba(name: &str, width: u32, height: u32, bytes: Vec<u8>) -> Result<Self> {
        check_size(name, width, height)?;
        let fail = || Error::Picture { what: name.to_owned(), reason: format!("not {width}×{height} RGBA bytes") };
        let pixels = RgbaImage::from_raw(width, height, bytes).ok_or_else(fail)?;
        Ok(Self { name: name.to_owned(), pixels, input: None })
    }

    /// The photo together with a network's input made from it, which [`crate::Explainer`] then uses. Threads can so
    /// prepare photos while a device works on others.
    #[must_use]
    pub fn prepared(self, preprocess: &Preprocess) -> Self {
        let input = self.input(preprocess).into_owned();
        Self { input: Some((preprocess.clone(), input)), ..self }
    }

    /// The network's input: RGBA bytes of the part that the network sees, equal to those that Pillow makes.
    pub fn input(&self, preprocess: &Preprocess) -> Cow<'_, [u8]> {
        match &self.input {
            Some((made, input)) if made == preprocess => Cow::Borrowed(input),
            _ => Cow::Owned(Crop::of(preprocess, self.width(), self.height()).resample(self.rgba(), preprocess)),
        }
    }

    /// The part of the photo's area that the network sees, 0 to 1.
    pub fn seen(&self, preprocess: &Preprocess) -> f64 {
        Crop::of(preprocess, self.width(), self.height()).seen()
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.pixels.width()
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.pixels.height()
    }

    /// RGBA bytes in row-major order.
    pub fn rgba(&self) -> &[u8] {
        self.pixels.as_raw()
    }
}

fn check_size(name: &str, width: u32, height: u32) -> Result<()> {
    let fail = |reason: String| Err(Error::Picture { what: name.to_owned(), reason });
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return fail(format!(
            "{width}×{height} pixels are too many; scale it down to {} million pixels",
            MAX_PIXELS / 1_000_000
        ));
    }
    if width.min(height) < MIN_SIDE {
        return fail(format!("{width}×{height} pixels are too few; each side needs at least {MIN_SIDE}"));
    }
    Ok(())
}
