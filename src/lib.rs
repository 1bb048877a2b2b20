#![doc = include_str!("../README.md")]
#![deny(missing_docs, unsafe_code)]
// A page has one thread, and its device cannot go to another.
#![cfg_attr(target_arch = "wasm32", allow(clippy::arc_with_non_send_sync))]

/// Internal modules. They are public with the feature `unstable`, only for the tests and benches.
macro_rules! inside {
    ($($room:ident),*) => {
        $(
            #[cfg(feature = "unstable")]
            pub mod $room;
            #[cfg(not(feature = "unstable"))]
            #[allow(dead_code, unused_imports)] // for what only the tests use
            mod $room;
        )*
    };
}

mod error;
mod explainer;
pub mod files;
pub mod gpu;
inside!(cam, graph, kernels, plan);
#[cfg(not(target_arch = "wasm32"))]
inside!(reference);
pub mod memory;
pub mod model;
pub mod picture;
mod texts;
#[cfg(not(target_arch = "wasm32"))]
pub mod verify;

pub use cam::{Compat, Method, Normalise, Sampling, Score, Smoothing, Status, Target};
pub use error::{Error, Result};
pub use explainer::{
    Batch, Classes, Device, Explainer, Explanation, Heatmap, Images, LayerTime, Map, Outputs, Overlay, Pending,
    Prediction, Stage, Style,
};
pub use gpu::{AdapterInfo, Backend, Gpu, GpuOptions, Stats};
pub use model::{Model, ModelOptions};
pub use picture::{Colormap, Photo};
