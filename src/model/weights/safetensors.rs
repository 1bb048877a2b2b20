//! Reads safetensors files.

use std::sync::Arc;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};

use super::tensors::{Weights, fail};
use crate::error::Result;
use crate::memory;

/// Parses the bytes of a safetensors file; `what` names it in errors.
///
/// # Errors
/// [`crate::Error::Weights`] if the file is damaged.
pub fn parse(what: &str, bytes: &[u8]) -> Result<Weights> {
    let damaged = |e: safetensors::SafeTensorError| fail(what, format!("not a whole safetensors file: {e}"));
    // What the header says of a tensor takes several times its text.
    let header = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length)).min(bytes.len() as u64);
    let _room = memory::take(what, 12 * header)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let (mut tensors, mut others) = (vec![], vec![]);
    for (name, view) in file.iter().filter(|(name, _)| !name.ends_with("num_batches_tracked")) {
        match numbers(view.dtype(), view.data()) {
            Some(values) => tensors.push((name.to_owned(), view.shape().to_vec(), values)),
            None => others.push((name.to_owned(), view.shape().to_vec(), format!("{:?}", view.dtype()))),
        }
    }
    let mut weights = Weights::new(what, tensors)?;
    others.into_iter().for_each(|(name, shape, format)| weights.note_other(name, shape, format));
    weights.metadata = header.metadata().clone().unwrap_or_default();
    Ok(weights)
}

/// Little-endian numbers as f32. None if they are in a format that trained networks do not have.
pub fn numbers(format: Dtype, bytes: &[u8]) -> Option<Arc<[f32]>> {
    Some(match format {
        Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        _ => return None,
    })
}
