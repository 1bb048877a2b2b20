//! Pictures of more than 8 bits a colour, and TIFF files that the image library does not take apart.

use std::io::Cursor;

use image::{DynamicImage, RgbaImage};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::jpeg;
use super::window::{Window, ends, part};

/// The most that a TIFF file of unusual numbers may hold, in bytes.
const MOST: usize = 1 << 28;

/// Brings the numbers of a picture of 16 or 32 bits into a window, in place. Returns what should be said of it.
///
/// # Errors
/// What is wrong with the numbers, and the remedy.
pub fn apply(image: &mut DynamicImage, window: Window) -> Result<Option<String>, String> {
    let whole = [0.0, f64::from(u16::MAX)];
    // The last number of so many is transparency, and stays.
    let (numbers, size, transparent): (&mut [u16], usize, bool) = match image {
        DynamicImage::ImageLuma16(image) => (image, 1, false),
        DynamicImage::ImageLumaA16(image) => (image, 2, true),
        DynamicImage::ImageRgb16(image) => (image, 3, false),
        DynamicImage::ImageRgba16(image) => (image, 4, true),
        DynamicImage::ImageRgb32F(image) => {
            let (ends, remark) = ends(image.iter().map(|n| f64::from(*n)), [0.0, 1.0], window)?;
            image.iter_mut().for_each(|n| *n = part(f64::from(*n), ends) as f32);
            return Ok(remark);
        }
        _ if window == Window::Full => return Ok(None),
        _ => return Ok(Some("has 8 bits a colour, so --window changes nothing".into())),
    };
    let colours = size - usize::from(transparent);
    let pixels = numbers.chunks_exact(size).flat_map(|pixel| &pixel[..colours]);
    let (ends, remark) = ends(pixels.map(|n| f64::from(*n)), whole, window)?;
    if ends != whole {
        for pixel in numbers.chunks_exact_mut(size) {
            pixel[..colours].iter_mut().for_each(|n| *n = (part(f64::from(*n), ends) * whole[1]).round() as u16);
        }
    }
    Ok(remark)
}

/// A TIFF file of numbers of any type, or of any number of bands.
pub struct Tiff {
    /// Its colours, or the first three bands.
    pub pixels: RgbaImage,
    /// All bands, pixel by pixel, within the window's 0 to 1, if the file marks none as a colour.
    pub bands: Option<Bands>,
    /// What should be said of it.
    pub remark: Option<String>,
}

/// The numbers of a picture with any number of bands, pixel by pixel.
#[derive(Clone)]
pub struct Bands {
    pub count: usize,
    pub numbers: Vec<f32>,
}

/// A TIFF file, what its numbers are, and how many each pixel has.
type Opened<'a> = (Decoder<Cursor<&'a [u8]>>, ColorType, usize);

fn opened(bytes: &[u8]) -> Result<Opened<'_>, String> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MOST;
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(reason)?.with_limits(limits);
    let colours = decoder.colortype().map_err(reason)?;
    let channels = match colours {
        ColorType::Gray(_) => 1,
        ColorType::RGB(_) | ColorType::YCbCr(8) => 3,
        ColorType::RGBA(_) => 4,
        ColorType::Multiband { num_samples, .. } => usize::from(num_samples),
        other => return Err(format!("a TIFF with the colours {other:?}, which are not supported; save it as RGB")),
    };
    Ok((decoder, colours, channels))
}

fn reason(e: tiff::TiffError) -> String {
    format!("{e}; save it as RGB, as TIFF or PNG")
}

/// Width and height of a TIFF file, and how many bytes of memory [`of_tiff`] takes.
///
/// # Errors
/// As [`of_tiff`].
pub fn size_of_tiff(bytes: &[u8]) -> Result<([u32; 2], u64), String> {
    let (mut decoder, _, channels) = opened(bytes)?;
    let (width, height) = decoder.dimensions().map_err(reason)?;
    let numbers = u64::from(width) * u64::from(height) * channels as u64;
    // As they are in the file, twice as f64, and as f32.
    Ok(([width, height], numbers.saturating_mul(8 + 8 + 8 + 4)))
}

/// Reads a TIFF file.
///
/// # Errors
/// What is wrong with the file, or not supported.
pub fn of_tiff(bytes: &[u8], window: Window) -> Result<Tiff, String> {
    let (mut decoder, colours, channels) = opened(bytes)?;
    let (width, height) = decoder.dimensions().map_err(reason)?;
    if decoder.find_tag_unsigned::<u16>(Tag::Orientation).map_err(reason)?.is_some_and(|at| at > 1) {
        return Err("a TIFF of unusual numbers that is not upright; save it upright".into());
    }
    let mut result = DecodingResult::U8(vec![]);
    let layout = decoder.read_image_to_buffer(&mut result).map_err(reason)?;
    macro_rules! numbers {
        ($($kind:ident $type:ty),*) => {
            match result {
                $(DecodingResult::$kind(n) => {
                    (n.iter().map(|n| *n as f64).collect(), [<$type>::MIN as f64, <$type>::MAX as f64])
                })*
                DecodingResult::F16(n) => (n.iter().map(|n| n.to_f64()).collect(), [0.0, 1.0]),
                DecodingResult::F32(n) => (n.iter().map(|n| f64::from(*n)).collect(), [0.0, 1.0]),
                DecodingResult::F64(n) => (n, [0.0, 1.0]),
            }
        };
    }
    let (numbers, range): (Vec<f64>, _) = numbers!(U8 u8, U16 u16, U32 u32, U64 u64, I8 i8, I16 i16, I32 i32, I64 i64);
    let area = width as usize * height as usize;
    if numbers.len() != area * channels {
        return Err("a TIFF whose bands differ, which is not supported; save it with equal bands".into());
    }
    let apart = layout.planes > 1;
    let numbers: Vec<f64> = match apart {
        true => (0..area)
            .flat_map(|pixel| (0..channels).map(move |band| band * area + pixel))
            .map(|at| numbers[at])
            .collect(),
        false => numbers,
    };
    let (ends, mut remark) = ends(numbers.iter().copied(), range, window)?;
    let bands = matches!(colours, ColorType::Multiband { .. })
        .then(|| Bands { count: channels, numbers: numbers.iter().map(|number| part(*number, ends) as f32).collect() });
    if bands.is_some() {
        let shown = if channels == 2 { "first is" } else { "first three are" };
        let seen = format!("has {channels} bands, of which the {shown} shown, and seen by a network for photos");
        remark = Some(remark.map_or(seen.clone(), |dark| format!("{dark}; {seen}")));
    }
    let byte = |number: f64| (part(number, ends) * 255.0).round() as u8;
    let rgba = numbers.chunks_exact(channels).flat_map(|pixel| match *pixel {
        [y, cb, cr] if colours == ColorType::YCbCr(8) => {
            let [r, g, b] = jpeg::rgb(byte(y), byte(cb), byte(cr));
            [r, g, b, 255]
        }
        [r, g, b, ..] => [byte(r), byte(g), byte(b), 255],
        [grey, ..] => [byte(grey), byte(grey), byte(grey), 255],
        [] => [255; 4],
    });
    let pixels = RgbaImage::from_raw(width, height, rgba.collect()).ok_or("not whole")?;
    Ok(Tiff { pixels, bands, remark })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::DynamicImage;

    /// Where the usual decoder is left out, this one reads common files too.
    #[test]
    fn common_files() {
        let colours = RgbaImage::from_fn(7, 5, |x, y| image::Rgba([x as u8 * 30, y as u8 * 50, 200, 255]));
        let colours = DynamicImage::ImageRgba8(colours);
        for image in [DynamicImage::ImageRgb8(colours.to_rgb8()), DynamicImage::ImageLuma8(colours.to_luma8()), colours]
        {
            let mut file = Cursor::new(vec![]);
            image.write_to(&mut file, image::ImageFormat::Tiff).unwrap();
            let found = of_tiff(file.get_ref(), Window::default()).unwrap();
            assert_eq!(found.pixels, image.to_rgba8());
        }
    }
}
