//! Where to compute.

use std::sync::Arc;

use crate::error::Result;
use crate::gpu::{Gpu, GpuOptions};

/// Where to compute.
#[derive(Clone)]
#[non_exhaustive]
pub enum Device {
    /// A GPU, or a driver that acts as one. Several explainers may share it.
    Gpu(Arc<Gpu>),
    /// Plain f64 loops, for machines without a graphics driver.
    Cpu,
}

impl Device {
    /// Opens the best adapter.
    ///
    /// # Errors
    /// As [`Gpu::open`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn gpu() -> Result<Self> {
        pollster::block_on(Gpu::open(&GpuOptions::default())).map(Self::from)
    }
}

impl From<Gpu> for Device {
    fn from(gpu: Gpu) -> Self {
        Self::Gpu(Arc::new(gpu))
    }
}
