//! Decoding of photos, with limits against hostile files.

use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbaImage};

use super::deep::{self, Bands};
use super::{Crop, Window, jpeg, kinds};
use crate::error::{Error, Result};
use crate::model::Preprocess;

/// The largest number of pixels: 2²⁷, as a square of 11,585, and twice as many in a JPEG, whose decoder needs less.
const MAX_PIXELS: u64 = 1 << 27;
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
    /// All that a picture holds that is not a photo, for networks of so many channels.
    bands: Option<Bands>,
    remark: Option<String>,
    /// A network's input, if it was made in advance.
    input: Option<(Preprocess, Vec<u8>)>,
}

impl Photo {
    /// Decodes a picture file. The format (PNG, JPEG, WebP, GIF, BMP, TIFF, PNM or QOI) is recognised by the
    /// content, TGA by the ending.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Picture`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, Window::default())
    }

    /// Decodes a picture file, and maps numbers beyond 8 bits by a window.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Picture`].
    pub fn open_with(path: impl AsRef<Path>, window: Window) -> Result<Self> {
        let path = path.as_ref();
        let read = |source| Error::Read { path: path.to_owned(), source };
        if path.is_dir() {
            return Err(read(std::io::ErrorKind::IsADirectory.into()));
        }
        // A special file has no length, and perhaps no end.
        let mut bytes = vec![];
        let file = std::fs::File::open(path).map_err(read)?;
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(read)?;
        let name = path.display().to_string();
        if bytes.len() as u64 > MAX_FILE {
            let reason = format!("more than {} MiB are too many for a picture", MAX_FILE >> 20);
            return Err(Error::Picture { what: name, reason });
        }
        Self::decode_with(&name, &bytes, window)
    }

    /// Decodes the bytes of a picture file; `name` names it in errors.
    ///
    /// # Errors
    /// [`Error::Picture`].
    pub fn decode(name: &str, bytes: &[u8]) -> Result<Self> {
        Self::decode_with(name, bytes, Window::default())
    }

    /// Decodes the bytes of a picture file, and maps numbers beyond 8 bits by a window.
    ///
    /// # Errors
    /// [`Error::Picture`].
    pub fn decode_with(name: &str, bytes: &[u8], window: Window) -> Result<Self> {
        let fail = |reason: String| Error::Picture { what: name.to_owned(), reason };
        let undecodable = |reason: String| fail(format!("cannot be decoded: {reason}"));
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| fail(e.to_string()))?;
        // This format has no mark of its own.
        if reader.format().is_none() && name.to_lowercase().ends_with(".tga") {
            reader.set_format(ImageFormat::Tga);
        }
        let windowed = |mut image: DynamicImage| {
            let remark = deep::apply(&mut image, window).map_err(fail)?;
            Ok::<_, Error>((image, remark))
        };
        let mut bands = None;
        let ((mut image, remark), orientation) = match reader.format() {
            Some(ImageFormat::Jpeg) => {
                let (width, height) = jpeg::size(bytes).map_err(undecodable)?;
                check_size(name, width, height, 2 * MAX_PIXELS)?;
                let jpeg::Jpeg { pixels, orientation } = jpeg::decode(bytes).map_err(undecodable)?;
                (windowed(DynamicImage::ImageRgba8(pixels))?, orientation)
            }
            Some(format) if format.reading_enabled() || format == ImageFormat::Tiff => {
                let usual = if format.reading_enabled() { decode_other(name, reader)? } else { None };
                match usual {
                    Some((image, orientation)) => (windowed(image)?, orientation),
                    None if format == ImageFormat::Tiff => {
                        let tiff = deep::of_tiff(bytes, window).map_err(undecodable)?;
                        check_size(name, tiff.pixels.width(), tiff.pixels.height(), MAX_PIXELS)?;
                        bands = tiff.bands;
                        ((DynamicImage::ImageRgba8(tiff.pixels), tiff.remark), Orientation::NoTransforms)
                    }
                    None => return Err(undecodable("its colours are of a kind that is not supported".into())),
                }
            }
            other => return Err(fail(kinds::named(bytes, other.map(|format| format!("{format:?}")).as_deref()))),
        };
        image.apply_orientation(orientation);
        Ok(Self { pixels: image.into_rgba8(), bands, name: name.to_owned(), remark, input: None })
    }

    /// What should be said of the picture, such as that it is almost black.
    pub fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    /// A photo from RGBA bytes in row-major order.
    ///
    /// # Errors
    /// [`Error::Picture`] if there are not `width · height · 4` bytes, or too few or too many pixels.
    pub fn from_rgba(name: &str, width: u32, height: u32, bytes: Vec<u8>) -> Result<Self> {
        check_size(name, width, height, MAX_PIXELS)?;
        let fail = || Error::Picture { what: name.to_owned(), reason: format!("not {width}×{height} RGBA bytes") };
        let pixels = RgbaImage::from_raw(width, height, bytes).ok_or_else(fail)?;
        Ok(Self { name: name.to_owned(), pixels, bands: None, remark: None, input: None })
    }

    /// The photo together with a network's input made from it, which [`crate::Explainer`] then uses. Threads can so
    /// prepare photos while a device works on others.
    #[must_use]
    pub fn prepared(self, preprocess: &Preprocess) -> Self {
        let input = self.input(preprocess).into_owned();
        Self { input: Some((preprocess.clone(), input)), ..self }
    }

    /// Whether a network with so many channels can see it. One channel sees it in grey; more than three are the bands of
    /// a TIFF file.
    pub fn has_channels(&self, channels: usize) -> bool {
        matches!(channels, 1 | 3) || self.bands_for(channels).is_some()
    }

    /// The bands that a network with so many channels sees instead of colours.
    fn bands_for(&self, channels: usize) -> Option<&Bands> {
        self.bands.as_ref().filter(|bands| !matches!(channels, 1 | 3) && bands.count == channels)
    }

    /// The network's input: RGBA bytes of the part that the network sees, equal to those that Pillow makes. For a
    /// network with other than one or three channels they are the bands' normalised numbers as f32, band after band.
    pub fn input(&self, preprocess: &Preprocess) -> Cow<'_, [u8]> {
        if let Some((made, input)) = &self.input
            && made == preprocess
        {
            return Cow::Borrowed(input);
        }
        let crop = Crop::of(preprocess, self.width(), self.height());
        Cow::Owned(match self.bands_for(preprocess.channels()) {
            Some(bands) => bytemuck::cast_slice(&crop.resample_bands(&bands.numbers, preprocess)).to_vec(),
            None => crop.resample(self.rgba(), preprocess),
        })
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

/// Decodes a picture of another format than JPEG. None if its colours are of a kind that the image library does not know.
fn decode_other(name: &str, mut reader: ImageReader<Cursor<&[u8]>>) -> Result<Option<(DynamicImage, Orientation)>> {
    let undecodable = |e: ImageError| {
        let reason = match e {
            ImageError::Limits(_) => "decoding it would take too much memory".into(),
            e => format!("cannot be decoded: {e}"),
        };
        Error::Picture { what: name.to_owned(), reason }
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOCATION);
    reader.limits(limits);
    let mut decoder = match reader.into_decoder() {
        Err(ImageError::Unsupported(_)) => return Ok(None),
        other => other.map_err(undecodable)?,
    };
    let (width, height) = decoder.dimensions();
    check_size(name, width, height, MAX_PIXELS)?;
    let orientation = decoder.orientation().map_err(undecodable)?;
    match DynamicImage::from_decoder(decoder) {
        Err(ImageError::Unsupported(_)) => Ok(None),
        image => Ok(Some((image.map_err(undecodable)?, orientation))),
    }
}

fn check_size(name: &str, width: u32, height: u32, most: u64) -> Result<()> {
    let fail = |reason: String| Err(Error::Picture { what: name.to_owned(), reason });
    if u64::from(width) * u64::from(height) > most {
        return fail(format!(
            "{width}×{height} pixels are too many; scale it down to {} million pixels",
            most / 1_000_000
        ));
    }
    if width.min(height) < MIN_SIDE {
        return fail(format!("{width}×{height} pixels are too few; each side needs at least {MIN_SIDE}"));
    }
    Ok(())
}
