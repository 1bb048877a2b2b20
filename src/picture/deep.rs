//! Pictures of more than 8 bits a colour, and TIFF files that the image library does not take apart.

use std::io::Cursor;

use image::{DynamicImage, RgbaImage};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};

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

/// A TIFF file of numbers of any type, or of any number of bands, of which the first three are shown. Also returns what
/// should be said of it.
///
/// # Errors
/// What is wrong with the file, or not supported.
pub fn of_tiff(bytes: &[u8], window: Window) -> Result<(RgbaImage, Option<String>), String> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MOST;
    let reason = |e: tiff::TiffError| format!("{e}; save it as RGB, as TIFF or PNG");
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(reason)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(reason)?;
    let colours = decoder.colortype().map_err(reason)?;
    let channels = match colours {
        ColorType::Gray(_) => 1,
        ColorType::RGB(_) | ColorType::YCbCr(8) => 3,
        ColorType::RGBA(_) => 4,
        ColorType::Multiband { num_samples, .. } => usize::from(num_samples),
        other => return Err(format!("a TIFF with the colours {other:?}, which are not supported; save it as RGB")),
    };
    let result = decoder.read_image().map_err(reason)?;
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
    if numbers.len() != width as usize * height as usize * channels {
        return Err("a TIFF with its bands apart, which is not supported; save it with interleaved bands".into());
    }
    let (ends, mut remark) = ends(numbers.iter().copied(), range, window)?;
    if channels > 4 || channels == 2 {
        remark = Some(format!(
            "has {channels} bands, of which the first {} seen",
            if channels > 2 { "three are" } else { "is" }
        ));
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
    RgbaImage::from_raw(width, height, rgba.collect()).map(|image| (image, remark)).ok_or_else(|| "not whole".into())
}
