//! Reads safetensors files.

use std::sync::Arc;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};

use super::tensors::{Weights, fail};
use crate::error::Result;

/// Parses the bytes of a safetensors file; `what` names it in errors.
///
/// # Errors
/// [`Error::Weights`] if the file is damaged, if a tensor is not f32, f16 or bf16, or if a value is not finite.
pub fn parse(what: &str, bytes: &[u8]) -> Result<Weights> {
    let damaged = |e: safetensors::SafeTensorError| fail(what, format!("not a whole safetensors file: {e}"));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let mut tensors = vec![];
    for (name, view) in file.iter().filter(|(name, _)| !name.ends_with("num_batches_tracked")) {
        let data = view.data();
        let values: Arc<[f32]> = match view.dtype() {
            Dtype::F32 => data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            Dtype::F16 => data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::BF16 => data.chunks_exact(2).map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            other => {
                return Err(fail(what, format!("tensor '{name}' is {other:?}; f32, f16 and bf16 are supported")));
            }
        };
        tensors.push((name.to_owned(), view.shape().to_vec(), values));
    }
    let metadata = header.metadata().clone().unwrap_or_default();
    let mut weights = Weights::new(what, tensors)?;
    weights.metadata = metadata;
    Ok(weights)
}
