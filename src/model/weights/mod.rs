//! Trained tensors: what a file holds, and one file for each kind of file.

pub mod safetensors;
mod tensors;

pub use tensors::{Reader, Tensor, Weights};
