#![doc = include_str!("../README.md")]
#![deny(missing_docs, unsafe_code)]

pub mod cam;
mod error;
mod explainer;
pub mod gpu;
pub mod graph;
pub mod kernels;
pub mod model;
pub mod picture;
pub mod plan;
pub mod reference;
#[cfg(not(target_arch = "wasm32"))]
pub mod verify;

pub use cam::{Method, Status};
pub use error::{Error, Result};
pub use explainer::{
    Batch, Classes, Device, Explainer, Explanation, Heatmap, Images, LayerTime, Map, Outputs, Overlay, Pending,
    Prediction, Stage, Style,
};
pub use gpu::{AdapterInfo, Backend, Gpu, GpuOptions, Stats};
pub use model::Model;
pub use picture::{Colormap, Photo};
