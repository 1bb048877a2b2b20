//! Trained tensors: the type that holds them, and one module per file format.

pub mod safetensors;
mod tensors;

pub use tensors::{Reader, Tensor, Weights};
