//! `gradcam._engine`: the engine behind NumPy arrays and JSON. The package `gradcam` around it is what people use.

mod device;
mod errors;
mod explainer;
mod model;
mod once;
mod photo;
mod request;
mod result;

use pyo3::prelude::pymodule;

#[pymodule]
mod _engine {
    use std::collections::HashMap;

    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::device::Device;
    #[pymodule_export]
    use crate::explainer::Explainer;
    #[pymodule_export]
    use crate::model::Model;
    #[pymodule_export]
    use crate::photo::{encode, overlay, write};

    /// Names of the methods.
    #[pyfunction]
    fn methods() -> Vec<&'static str> {
        gradcam::Method::ALL.iter().map(|method| method.name()).collect()
    }

    /// Limits the memory that requests may take, to so many bytes; 0 removes the limit.
    #[pyfunction]
    fn set_memory_limit(bytes: u64) {
        gradcam::memory::set_limit(Some(bytes).filter(|bytes| *bytes > 0));
    }

    /// Environment variables that drivers read, which suit this package's work, but for those that are set.
    #[pyfunction]
    fn driver_settings() -> HashMap<&'static str, String> {
        gradcam::gpu::driver_settings().into_iter().collect()
    }

    /// The colour maps: 256 colours from cold to hot, 0 to 1.
    #[pyfunction]
    fn colormaps() -> HashMap<&'static str, Vec<[f32; 3]>> {
        gradcam::Colormap::ALL.map(|(name, colormap)| (name, colormap.colours().collect())).into()
    }
}
