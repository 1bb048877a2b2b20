//! Resources that are freed at once when their owner drops them. A browser would free them at its next garbage collection,
//! which knows nothing of their sizes.

use std::ops::Deref;

/// A buffer with one owner.
pub struct Owned(wgpu::Buffer);

impl Owned {
    /// Creates a buffer of zeros.
    pub fn new(device: &wgpu::Device, label: &'static str, size: u64, usage: wgpu::BufferUsages) -> Self {
        Self::create(device, label, size, usage, false)
    }

    /// Creates a buffer that is mapped, so that it can be written.
    pub fn mapped(device: &wgpu::Device, label: &'static str, size: u64, usage: wgpu::BufferUsages) -> Self {
        Self::create(device, label, size, usage, true)
    }

    fn create(
        device: &wgpu::Device,
        label: &'static str,
        size: u64,
        usage: wgpu::BufferUsages,
        mapped_at_creation: bool,
    ) -> Self {
        Self(device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation }))
    }
}

impl Deref for Owned {
    type Target = wgpu::Buffer;

    fn deref(&self) -> &wgpu::Buffer {
        &self.0
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.destroy();
    }
}
