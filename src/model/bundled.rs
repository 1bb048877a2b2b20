//! The bundled weights, as `build.rs` packed them.

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The unpacked safetensors file; `None` if it cannot be unpacked.
pub fn weights() -> Option<Vec<u8>> {
    let (lower, packed) = include_bytes!(concat!(env!("OUT_DIR"), "/bundled.packed")).split_at(WHOLE / 2);
    let upper = miniz_oxide::inflate::decompress_to_vec_with_limit(packed, WHOLE / 2).ok()?;
    Some(lower.iter().zip(&upper).flat_map(|(&lower, &upper)| [lower, upper]).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn unpacked_as_packed() {
        assert!(super::weights().as_deref() == Some(include_bytes!("../../weights/efficientnet_lite0.safetensors")));
    }
}
