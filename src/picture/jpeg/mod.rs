//! Decodes JPEG files to the very bytes that libjpeg-turbo gives: Pillow, torchvision and OpenCV use it, so networks are
//! trained on its pixels. Other decoders round the cosine transform and enlarge the colours otherwise, which moves heat maps
//! by up to 0.1.
//!
//! ITU-T T.81: baseline, extended and progressive Huffman coding of 8 bits. Arithmetic coding, 12 bits and lossless
//! coding are refused by name.

mod colour;
mod frame;
mod huffman;
mod idct;
mod scan;
mod upsample;

use image::RgbaImage;
use image::metadata::Orientation;

use colour::Colours;
pub use colour::rgb;
use frame::{Component, Frame, Segments};
use huffman::TRUNCATED;

/// What a decoded file is.
pub struct Jpeg {
    /// As stored, without orientation.
    pub pixels: RgbaImage,
    pub orientation: Orientation,
}

/// Width and height, and how many bytes of memory decoding takes.
///
/// # Errors
/// What is wrong with the file.
pub fn size(bytes: &[u8]) -> Result<([u32; 2], u64), String> {
    let mut segments = Segments::new(bytes);
    while let Some((mark, content)) = segments.next()? {
        if matches!(mark, 0xc0..=0xcf) && !matches!(mark, 0xc4 | 0xc8 | 0xcc) {
            let frame = Frame::parse(mark, content)?;
            let pixels = frame.width as u64 * frame.height as u64;
            return Ok(([frame.width as u32, frame.height as u32], frame.bytes() + 4 * pixels));
        }
    }
    Err("the file holds no image".into())
}

/// Decodes the bytes of a file.
///
/// # Errors
/// What is wrong with the file.
pub fn decode(bytes: &[u8]) -> Result<Jpeg, String> {
    let mut segments = Segments::new(bytes);
    let mut tables = scan::Tables::default();
    let mut frame: Option<Frame> = None;
    let (mut jfif, mut adobe, mut orientation) = (false, None, Orientation::NoTransforms);
    while let Some((mark, content)) = segments.next()? {
        match mark {
            0xc4 => tables.huffman(content)?,
            0xdb => tables.quantisation(content)?,
            0xdd => tables.restart_interval(content)?,
            0xc0..=0xcf if frame.is_some() => return Err("the file holds several frames".into()),
            0xc0..=0xcf => frame = Some(Frame::parse(mark, content)?),
            0xda => {
                let frame = frame.as_mut().ok_or("a scan comes before its frame")?;
                let used = scan::decode(content, segments.rest(), &tables, frame)?;
                segments.skip(used);
            }
            0xe0 if content.starts_with(b"JFIF\0") => jfif = true,
            0xe1 if content.starts_with(b"Exif\0\0") => {
                orientation = Orientation::from_exif_chunk(&content[6..]).unwrap_or(orientation);
            }
            0xee if content.starts_with(b"Adobe") => adobe = content.get(11).copied(),
            _ => {}
        }
    }
    let frame = frame.filter(|frame| frame.components.iter().all(|c| c.quantisation.is_some())).ok_or(TRUNCATED)?;
    // Where the end mark is missing, further scans may be too.
    if frame.is_progressive && !segments.ended {
        return Err(TRUNCATED.into());
    }
    let colours = colours(&frame, jfif, adobe);
    Ok(Jpeg { pixels: pixels(frame, colours)?, orientation })
}

/// libjpeg's rules for what the components are.
fn colours(frame: &Frame, jfif: bool, adobe: Option<u8>) -> Colours {
    let ids: Vec<u8> = frame.components.iter().map(|c| c.id).collect();
    match (frame.components.len(), adobe) {
        (1, _) => Colours::Grey,
        (3, _) if jfif => Colours::YCbCr,
        (3, Some(0)) => Colours::Rgb,
        (3, None) if ids == *b"RGB" => Colours::Rgb,
        (3, _) => Colours::YCbCr,
        (_, None | Some(0)) => Colours::Cmyk,
        _ => Colours::Ycck,
    }
}

/// Transforms, enlarges and converts the coefficients.
fn pixels(frame: Frame, colours: Colours) -> Result<RgbaImage, String> {
    let (width, height) = (frame.width, frame.height);
    let most = frame.most();
    let planes: Vec<idct::Plane> = frame.components.into_iter().map(Component::plane).collect();
    let mut rows: Vec<upsample::Rows> = planes.iter().map(|plane| upsample::Rows::new(plane, most, width)).collect();
    let mut rgba = vec![255; width * height * 4];
    for (y, line) in rgba.chunks_exact_mut(width * 4).enumerate() {
        rows.iter_mut().for_each(|rows| rows.make(y));
        colour::convert(colours, &rows, line);
    }
    RgbaImage::from_raw(width as u32, height as u32, rgba).ok_or_else(|| TRUNCATED.into())
}
