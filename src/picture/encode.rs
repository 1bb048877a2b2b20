//! Encodes overlays, so that they are recognised later.

use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};
use crate::files::{self, Kind, write_atomically};
use crate::memory::Share;

/// The kinds of picture that overlays are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Exact.
    Png,
    /// Smaller, at quality 90.
    #[cfg(feature = "formats")]
    Jpeg,
}

impl Format {
    /// The format of a file with this ending, `None` if overlays are not written as such.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_ascii_lowercase().to_str()? {
            "png" => Some(Self::Png),
            #[cfg(feature = "formats")]
            "jpg" | "jpeg" => Some(Self::Jpeg),
            _ => None,
        }
    }

    /// The usual ending.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            #[cfg(feature = "formats")]
            Self::Jpeg => "jpg",
        }
    }
}

/// Quality of JPEGs, of 100.
#[cfg(feature = "formats")]
const QUALITY: u8 = 90;
/// In a text of each overlay, so that a later run does not take it for a photo. PNG has such a text as a chunk of
/// keyword and value, JPEG as a comment.
const MARK: [&str; 2] = ["Software", "gradcam"];
/// The mark is among so many bytes from a file's begin.
const HEAD: u64 = 96;
#[cfg(feature = "formats")]
/// Bytes of a JPEG before its comment: the begin, and the segment that has to come first.
const JFIF: usize = 20;

/// RGBA bytes as a file of this format, without alpha channel, marked as an overlay.
///
/// # Errors
/// [`Error::Request`] if the format does not hold so large a picture.
pub fn encode(format: Format, width: u32, height: u32, rgba: &[u8]) -> Result<Vec<u8>> {
    let fail = |e: &dyn std::fmt::Display| Error::Request(format!("{width}×{height} pixels cannot be encoded: {e}"));
    // Without the fourth byte, and packed.
    let _room = Share::of(2 * rgba.len() as u64);
    let rgb: Vec<u8> = rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut bytes = vec![];
    match format {
        Format::Png => {
            let mut encoder = png::Encoder::new(&mut bytes, width, height);
            encoder.set_color(png::ColorType::Rgb);
            encoder.set_compression(png::Compression::Fast);
            encoder.set_filter(png::Filter::Adaptive);
            let [key, value] = MARK.map(str::to_owned);
            let marked = encoder.add_text_chunk(key, value).and_then(|()| encoder.write_header());
            marked.and_then(|mut writer| writer.write_image_data(&rgb)).map_err(|e| fail(&e))?;
        }
        #[cfg(feature = "formats")]
        Format::Jpeg => {
            use image::{ExtendedColorType, ImageEncoder};
            if width.max(height) > u16::MAX.into() {
                return Err(fail(&"a JPEG has at most 65535 on a side; write a PNG"));
            }
            let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, QUALITY);
            encoder.write_image(&rgb, width, height, ExtendedColorType::Rgb8).map_err(|e| fail(&e))?;
            let text = MARK.join("\0");
            let comment = [&[0xff, 0xfe, 0, text.len() as u8 + 2], text.as_bytes()].concat();
            bytes.splice(JFIF..JFIF, comment);
        }
    }
    Ok(bytes)
}

/// Whether the file is an overlay that [`encode`] made. `false` if it cannot be read.
pub fn is_overlay(path: &Path) -> bool {
    let mut head = vec![];
    let read = files::open(path, Kind::Regular).and_then(|(file, _)| file.take(HEAD).read_to_end(&mut head));
    let mark = MARK.join("\0");
    read.is_ok() && head.windows(mark.len()).any(|bytes| bytes == mark.as_bytes())
}

/// Writes RGBA bytes as a PNG without alpha channel.
///
/// # Errors
/// [`Error::Write`]. No file is left behind.
pub fn write_png(path: &Path, width: u32, height: u32, rgba: &[u8]) -> Result<()> {
    // A full disk is named as such only if no encoder stands between.
    let bytes = encode(Format::Png, width, height, rgba)?;
    write_atomically(path, |out| out.write_all(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The comment lies where decoders expect one, and both formats decode to the picture.
    #[test]
    fn overlays_are_marked() {
        let place = tempfile::tempdir().unwrap();
        let rgba: Vec<u8> = (0..64 * 32).flat_map(|i| [(i % 64 * 4) as u8, (i / 64 * 8) as u8, 90, 255]).collect();
        for format in [Format::Png, Format::Jpeg] {
            let path = place.path().join("overlay").with_extension(format.ending());
            let bytes = encode(format, 64, 32, &rgba).unwrap();
            std::fs::write(&path, &bytes).unwrap();
            assert!(is_overlay(&path) && Format::of(&path) == Some(format));
            let found = image::load_from_memory(&bytes).unwrap().into_rgba8();
            let worst = found.as_raw().iter().zip(&rgba).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(found.dimensions() == (64, 32) && worst <= Some(24), "{format:?}: {worst:?}");
        }
        assert!(!is_overlay(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/chelsea.png"))));
        assert!(encode(Format::Jpeg, 70_000, 1, &vec![0; 280_000]).is_err());
    }
}
