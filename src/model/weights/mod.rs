//! Trained tensors: the type that holds them, and one module per file format.

mod open;
mod pickle;
mod pytorch;
pub mod safetensors;
mod tensors;

pub use open::{Content, is_onnx, open, parse};
pub use tensors::{Ending, Problem, Tensor, Weights, fail};
