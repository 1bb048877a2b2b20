//! Writes files completely or not at all.

use std::io::{BufWriter, Write};
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::error::{Error, Result};

/// Writes a file under a temporary name and renames it once it is complete.
///
/// # Errors
/// [`Error::Write`]. No file is left behind.
pub fn write_atomically(path: &Path, content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let attempt = || {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".gradcam-");
        // The same mode as other programs' files, so that the user's umask decides who may read it.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder)?;
        let mut writer = BufWriter::new(file.as_file_mut());
        content(&mut writer)?;
        writer.flush()?;
        drop(writer);
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    // Without an OS error code only the kind is kept, because the message would name the temporary file.
    let plain = |e: std::io::Error| if e.raw_os_error().is_some() { e } else { e.kind().into() };
    attempt().map_err(|e| Error::Write { path: path.to_owned(), source: plain(e) })
}

/// Writes RGBA bytes as a PNG without alpha channel.
///
/// # Errors
/// [`Error::Write`]. No file is left behind.
pub fn write_png(path: &Path, width: u32, height: u32, rgba: &[u8]) -> Result<()> {
    let rgb: Vec<u8> = rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    write_atomically(path, |out| {
        let encoder = PngEncoder::new_with_quality(out, CompressionType::Fast, FilterType::Adaptive);
        encoder.write_image(&rgb, width, height, ExtendedColorType::Rgb8).map_err(std::io::Error::other)
    })
}
