//! Decoding of photos, with limits against hostile files.

use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::deep::{self, Bands};
use super::{Crop, Window, jpeg, kinds, webp};
use crate::error::{Error, Result};
use crate::files::{self, Kind};
use crate::memory::{AtOnce, Grants, Share};
use crate::model::Preprocess;

/// The largest number of pixels: 2²⁷, as a square of 11,585, and twice as many in a JPEG, whose decoder needs less.
const MAX_PIXELS: u64 = 1 << 27;
/// The smallest side in pixels. A smaller photo shows nothing to explain.
const MIN_SIDE: u32 = 8;
/// The largest file, in bytes.
pub const MAX_FILE: u64 = 1 << 30;
/// The most that a file's texts and profiles may take, in bytes. They are read before the size is known.
const MAX_TEXTS: u64 = 16 << 20;

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
    width: u32,
    height: u32,
    /// RGBA bytes, or none if only the network's input was kept.
    pixels: Vec<u8>,
    /// All that a picture holds that is not a photo, for networks of so many channels.
    bands: Option<Bands>,
    remark: Option<String>,
    /// A network's input, if it was made in advance.
    input: Option<(Preprocess, Vec<u8>)>,
    /// Of memory, for all of it.
    share: Share,
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
        Self::open_by(path.as_ref(), window, &AtOnce)
    }

    /// [`Photo::open_with`] with memory that `grants` grants.
    pub(super) fn open_by(path: &Path, window: Window, grants: &dyn Grants) -> Result<Self> {
        let bytes = files::read_by(path, Kind::Named, MAX_FILE, grants)?;
        Self::decode_by(&path.display().to_string(), &bytes, window, grants)
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
        Self::decode_by(name, bytes, window, &AtOnce)
    }

    /// [`Photo::decode_with`] with memory that `grants` grants.
    pub(super) fn decode_by(name: &str, bytes: &[u8], window: Window, grants: &dyn Grants) -> Result<Self> {
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
        let ((mut image, remark), orientation, share) = match reader.format() {
            Some(ImageFormat::Jpeg) => {
                let (size, needed) = jpeg::size(bytes).map_err(undecodable)?;
                check_size(name, size, 2 * MAX_PIXELS)?;
                let share = last(grants, name, needed)?;
                let jpeg::Jpeg { pixels, orientation } = jpeg::decode(bytes).map_err(undecodable)?;
                (windowed(DynamicImage::ImageRgba8(pixels))?, orientation, share)
            }
            Some(format) if format.reading_enabled() || format == ImageFormat::Tiff => {
                if format == ImageFormat::WebP {
                    webp::check(bytes).map_err(undecodable)?;
                }
                let usual = if format.reading_enabled() { decode_other(name, bytes, reader, grants)? } else { None };
                match usual {
                    Some((image, orientation, share)) => (windowed(image)?, orientation, share),
                    None if format == ImageFormat::Tiff => {
                        let (size, needed) = deep::size_of_tiff(bytes).map_err(undecodable)?;
                        check_size(name, size, MAX_PIXELS)?;
                        let share = last(grants, name, needed)?;
                        let tiff = deep::of_tiff(bytes, window).map_err(undecodable)?;
                        bands = tiff.bands;
                        ((DynamicImage::ImageRgba8(tiff.pixels), tiff.remark), Orientation::NoTransforms, share)
                    }
                    None => return Err(undecodable("its colours are of a kind that is not supported".into())),
                }
            }
            other => return Err(fail(kinds::named(bytes, other.map(|format| format!("{format:?}")).as_deref()))),
        };
        image.apply_orientation(orientation);
        let (width, height) = (image.width(), image.height());
        let pixels = image.into_rgba8().into_raw();
        let mut photo = Self { name: name.to_owned(), width, height, pixels, bands, remark, input: None, share };
        photo.count();
        Ok(photo)
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
        check_size(name, [width, height], MAX_PIXELS)?;
        if bytes.len() as u64 != u64::from(width) * u64::from(height) * 4 {
            return Err(Error::Picture { what: name.to_owned(), reason: format!("not {width}×{height} RGBA bytes") });
        }
        let share = Share::of(bytes.len() as u64);
        Ok(Self { name: name.to_owned(), width, height, pixels: bytes, bands: None, remark: None, input: None, share })
    }

    /// The photo together with a network's input made from it, which [`crate::Explainer`] then uses. Threads can so
    /// prepare photos while a device works on others.
    #[must_use]
    pub fn prepared(self, preprocess: &Preprocess) -> Self {
        // Without pixels it was prepared already.
        let Ok(input) = self.input(preprocess).map(Cow::into_owned) else { return self };
        let mut photo = Self { input: Some((preprocess.clone(), input)), ..self };
        photo.count();
        photo
    }

    /// The photo without its pixels, which only overlays need: the network's input alone, see [`Photo::prepared`].
    #[must_use]
    pub fn without_pixels(self, preprocess: &Preprocess) -> Self {
        let mut photo = Self { pixels: vec![], bands: None, ..self.prepared(preprocess) };
        photo.count();
        photo
    }

    /// Its share of memory is what it holds.
    fn count(&mut self) {
        let bands = self.bands.as_ref().map_or(0, |bands| size_of_val(&bands.numbers[..]));
        let input = self.input.as_ref().map_or(0, |(_, input)| input.len());
        self.share.is_used((self.pixels.len() + bands + input) as u64);
    }

    /// Bytes of memory that it holds.
    pub fn bytes(&self) -> u64 {
        self.share.bytes()
    }

    /// Whether a network with so many channels can see it. One channel sees it in grey; more than three are the bands of
    /// a TIFF file.
    pub fn has_channels(&self, channels: usize) -> bool {
        let is_made =
            self.input.as_ref().is_some_and(|(made, _)| self.pixels.is_empty() && made.channels() == channels);
        matches!(channels, 1 | 3) || is_made || self.bands_for(channels).is_some()
    }

    /// The bands that a network with so many channels sees instead of colours.
    fn bands_for(&self, channels: usize) -> Option<&Bands> {
        self.bands.as_ref().filter(|bands| !matches!(channels, 1 | 3) && bands.count == channels)
    }

    /// The network's input: RGBA bytes of the part that the network sees, equal to those that Pillow makes. For a
    /// network with other than one or three channels they are the bands' normalised numbers as f32, band after band.
    ///
    /// # Errors
    /// [`Error::Request`] if its pixels were dropped, and it was prepared for another network.
    pub fn input(&self, preprocess: &Preprocess) -> Result<Cow<'_, [u8]>> {
        if let Some((made, input)) = &self.input
            && made == preprocess
        {
            return Ok(Cow::Borrowed(input));
        }
        let pixels = self.shown()?;
        let crop = Crop::of(preprocess, self.width(), self.height());
        Ok(Cow::Owned(match self.bands_for(preprocess.channels()) {
            Some(bands) => bytemuck::cast_slice(&crop.resample_bands(&bands.numbers, preprocess)).to_vec(),
            None => crop.resample(pixels, preprocess),
        }))
    }

    /// Its RGBA bytes, for an overlay.
    ///
    /// # Errors
    /// [`Error::Request`] if they were dropped.
    pub(crate) fn shown(&self) -> Result<&[u8]> {
        let dropped = || Error::Request(format!("{}: its pixels were dropped; decode it again", self.name));
        Some(self.rgba()).filter(|pixels| !pixels.is_empty()).ok_or_else(dropped)
    }

    /// The part of the photo's area that the network sees, 0 to 1.
    pub fn seen(&self, preprocess: &Preprocess) -> f64 {
        Crop::of(preprocess, self.width(), self.height()).seen()
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// RGBA bytes in row-major order. Empty after [`Photo::without_pixels`].
    pub fn rgba(&self) -> &[u8] {
        &self.pixels
    }
}

/// The memory that a decoder needs, which is the last that a photo needs.
fn last(grants: &dyn Grants, name: &str, bytes: u64) -> Result<Share> {
    let share = grants.take(name, bytes);
    if share.is_ok() {
        grants.is_all();
    }
    share
}

/// A picture, and how it is brought upright.
type Decoded = (DynamicImage, Orientation, Share);

/// Decodes a picture of another format than JPEG. None if its colours are of a kind that the image library does not know.
fn decode_other(
    name: &str,
    bytes: &[u8],
    mut reader: ImageReader<Cursor<&[u8]>>,
    grants: &dyn Grants,
) -> Result<Option<Decoded>> {
    let undecodable = |e: ImageError| {
        let reason = match e {
            ImageError::Limits(_) => {
                format!("has texts or profiles of over {} MiB, or is damaged; save it without them", MAX_TEXTS >> 20)
            }
            e => format!("cannot be decoded: {e}"),
        };
        Error::Picture { what: name.to_owned(), reason }
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_TEXTS);
    reader.limits(limits.clone());
    let mut decoder = match reader.into_decoder() {
        Err(ImageError::Unsupported(_)) => return Ok(None),
        other => other.map_err(undecodable)?,
    };
    let (width, height) = decoder.dimensions();
    check_size(name, [width, height], MAX_PIXELS)?;
    // The picture, once more in parts or upright, and as RGBA.
    let texts = 2 * MAX_TEXTS.min(bytes.len() as u64);
    let needed = 2 * decoder.total_bytes() + 4 * u64::from(width) * u64::from(height) + texts;
    let share = last(grants, name, needed)?;
    limits.max_alloc = Some(needed.max(MAX_TEXTS));
    decoder.set_limits(limits).map_err(undecodable)?;
    let orientation = decoder.orientation().map_err(undecodable)?;
    match DynamicImage::from_decoder(decoder) {
        Err(ImageError::Unsupported(_)) => Ok(None),
        image => Ok(Some((image.map_err(undecodable)?, orientation, share))),
    }
}

fn check_size(name: &str, [width, height]: [u32; 2], most: u64) -> Result<()> {
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
