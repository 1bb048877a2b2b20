//! NumPy's arrays in files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.

use safetensors::tensor::Dtype;

const BEGINS: &[u8] = b"\x93NUMPY";

/// Whether a file's bytes are an array's.
pub fn is_array(bytes: &[u8]) -> bool {
    bytes.starts_with(BEGINS)
}

/// Shape, number format and numbers of an array in row-major order.
///
/// # Errors
/// What is wrong with it, and the remedy.
pub fn parse(bytes: &[u8]) -> Result<(Vec<usize>, Dtype, &[u8]), String> {
    let (header, numbers) = split(bytes).ok_or("not a whole NumPy array")?;
    let value = |key: &str| Some(header.split_once(&format!("'{key}':"))?.1.trim_start());
    if value("fortran_order").is_none_or(|order| !order.starts_with("False")) {
        return Err("is in column-major order; save numpy.ascontiguousarray of it".into());
    }
    let format = value("descr").and_then(|text| text.split('\'').nth(1)).unwrap_or("");
    let (dtype, size) = match format {
        "<f2" => (Dtype::F16, 2),
        "<f4" => (Dtype::F32, 4),
        "<f8" => (Dtype::F64, 8),
        other => return Err(format!("holds numbers of the format '{other}'; save it .astype('float32')")),
    };
    let extents =
        value("shape").and_then(|text| text.strip_prefix('(')?.split_once(')')).map_or("", |(inside, _)| inside);
    let shape: Option<Vec<usize>> = extents
        .split(',')
        .map(str::trim)
        .filter(|extent| !extent.is_empty())
        .map(|extent| extent.parse().ok())
        .collect();
    let shape = shape.ok_or("not a whole NumPy array")?;
    let count = shape.iter().try_fold(size, |product: usize, extent| product.checked_mul(*extent));
    if count != Some(numbers.len()) {
        return Err("not a whole NumPy array".into());
    }
    Ok((shape, dtype, numbers))
}

/// Header and numbers. Version 1 has a length of two bytes, the later ones of four.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(BEGINS)?;
    let (version, rest) = rest.split_at_checked(2)?;
    let (length, rest) = rest.split_at_checked(if version[0] == 1 { 2 } else { 4 })?;
    let length = length.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
    let (header, numbers) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, numbers))
}
