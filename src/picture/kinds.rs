//! Files that are no pictures here, by how they begin: what they are, and the remedy.

/// Where the mark is, the mark, what the file is, and what to do.
const KINDS: &[(usize, &[u8], &str, &str)] = &[
    (4, b"ftypheic", "a HEIC photo", HEIC),
    (4, b"ftypheix", "a HEIC photo", HEIC),
    (4, b"ftypmif1", "a HEIF photo", HEIC),
    (4, b"ftypmsf1", "a HEIF photo", HEIC),
    (4, b"ftypavif", "an AVIF picture", "convert it to PNG, for example with `avifdec`"),
    (4, b"ftypcrx", "a raw photo of a camera", RAW),
    (4, b"ftyp", "a video", "extract pictures, for example with `ffmpeg -i`"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", "convert it to PNG, for example with `opj_decompress`"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture", "convert it to PNG, for example with `opj_decompress`"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture", "convert it to PNG, for example with `djxl`"),
    (0, b"\xff\x0a", "a JPEG XL picture", "convert it to PNG, for example with `djxl`"),
    (128, b"DICM", "a DICOM image", "convert it to PNG with a window of your choice, for example with `dcm2img`"),
    (344, b"n+1\0", "a NIfTI volume", VOLUME),
    (344, b"ni1\0", "a NIfTI volume", VOLUME),
    (0, b"\x1f\x8b", "a gzip archive, perhaps a NIfTI volume", VOLUME),
    (0, b"\x93NUMPY", "a NumPy array", "give it normalised to --tensors, or save it as PNG"),
    (0, b"8BPS", "a Photoshop file", "export it as PNG"),
    (0, b"FUJIFILMCCD-RAW", "a raw photo of a camera", RAW),
    (0, b"%PDF", "a PDF document", "export its pages as PNG, for example with `pdftoppm`"),
    (0, b"<svg", "an SVG drawing", "export it as PNG"),
    (0, b"<?xml", "an XML file, perhaps an SVG drawing", "export it as PNG"),
    (0, b"<!DOCTYPE", "an HTML page", "download the picture itself"),
    (0, b"<html", "an HTML page", "download the picture itself"),
    (0, b"\x1a\x45\xdf\xa3", "a video", "extract pictures, for example with `ffmpeg -i`"),
    (0, b"PK\x03\x04", "a zip archive", "unpack it"),
];
const HEIC: &str = "convert it to JPEG, for example with `heif-convert`";
const RAW: &str = "develop it to TIFF or JPEG, for example with `dcraw -w`";
const VOLUME: &str = "save its slices as PNG or TIFF";

/// What a file is that is no picture here, and the remedy. `format` is the image library's name for it, if it has one.
pub fn named(bytes: &[u8], format: Option<&str>) -> String {
    let begins = |at: usize, mark: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(mark));
    match KINDS.iter().find(|(at, mark, ..)| begins(*at, mark)) {
        Some((_, _, what, remedy)) => format!("{what}, which is not read; {remedy}"),
        None => match format {
            Some(format) => format!("a picture of the format {format}, which is not read; convert it to PNG"),
            None => "not a picture; PNG, JPEG, WebP, GIF, BMP, TIFF, PNM, QOI and TGA are supported".into(),
        },
    }
}
