//! Where to compute.

use std::sync::Arc;

use crate::gpu::Gpu;

/// Where to compute.
#[derive(Clone)]
#[non_exhaustive]
pub enum Device {
    /// A GPU, or a driver that acts as one. Several explainers may share it.
    Gpu(Arc<Gpu>),
    /// Plain f64 loops, for machines without a graphics driver.
    #[cfg(not(target_arch = "wasm32"))]
    Cpu,
}

impl Device {
    /// Opens the best adapter.
    ///
    /// # Errors
    /// As [`Gpu::open`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn gpu() -> crate::Result<Self> {
        pollster::block_on(Gpu::open(&crate::GpuOptions::default())).map(Self::from)
    }
}

impl From<Gpu> for Device {
    fn from(gpu: Gpu) -> Self {
        Self::Gpu(Arc::new(gpu))
    }
}
