//! Device memory: words in buffers, texels in buffers or textures.

use super::device::Gpu;
use crate::error::{Error, Result};
use crate::kernels::Texel;
use crate::plan::Medium;

/// Texels of a texture's row; `read.wgsl` and `write.wgsl` take an index apart by it.
const ROW: u64 = 4096;

/// Uploads over this many bytes are waited for.
const LARGE_UPLOAD: u64 = 32 << 20;

/// A piece of device memory.
pub enum Memory {
    /// A storage buffer.
    Buffer(wgpu::Buffer),
    /// A storage texture of four floats a texel.
    Texture(wgpu::Texture, wgpu::TextureView),
}

/// Extent of a texture that holds `bytes` of texels.
fn extent(bytes: u64) -> wgpu::Extent3d {
    let texels = bytes / 16;
    wgpu::Extent3d {
        width: texels.min(ROW) as u32,
        height: u32::try_from(texels.div_ceil(ROW)).unwrap_or(u32::MAX),
        depth_or_array_layers: 1,
    }
}

impl Memory {
    /// Takes zeroed memory.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if one piece may not be as large as this. Whether the device has the room is
    /// known by the error scope around the allocations.
    pub fn new(gpu: &Gpu, medium: Medium, bytes: u64) -> Result<Self> {
        let limits = &gpu.limits;
        let too_large =
            |reason: String| Error::OutOfMemory { adapter: gpu.info().name.clone(), needed: bytes >> 20, reason };
        if medium == Medium::Texels && gpu.profile().texture {
            let size = extent(bytes);
            if size.height > limits.max_texture_dimension_2d {
                return Err(too_large(format!("a texture has at most {} rows", limits.max_texture_dimension_2d)));
            }
            let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
                label: None,
                size,
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: wgpu::TextureFormat::Rgba32Float,
                usage: wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::COPY_DST,
                view_formats: &[],
            });
            let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
            return Ok(Self::Texture(texture, view));
        }
        let largest = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        if bytes > largest {
            return Err(too_large(format!("a piece has at most {} MiB", largest >> 20)));
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        let size = bytes.next_multiple_of(16);
        Ok(Self::Buffer(gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage,
            mapped_at_creation: false,
        })))
    }

    /// Memory that holds texels, after the zero texel with which every tensor begins.
    ///
    /// # Errors
    /// As [`Memory::new`].
    pub fn upload(gpu: &Gpu, mut texels: Vec<Texel>) -> Result<Self> {
        texels.insert(0, [0.0; 4]);
        let memory = Self::new(gpu, Medium::Texels, texels.len() as u64 * 16)?;
        match &memory {
            Self::Buffer(buffer) => gpu.queue.write_buffer(buffer, 0, bytemuck::cast_slice(&texels)),
            Self::Texture(texture, _) => {
                let size = texture.size();
                texels.resize(size.width as usize * size.height as usize, [0.0; 4]);
                let layout = wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(size.width * 16),
                    rows_per_image: None,
                };
                gpu.queue.write_texture(texture.as_image_copy(), bytemuck::cast_slice(&texels), layout, size);
            }
        }
        if memory.bytes() > LARGE_UPLOAD {
            // What waits for its transfer is held twice; do not let a whole network wait.
            gpu.queue.submit([]);
            gpu.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| gpu.error(e.to_string()))?;
        }
        Ok(memory)
    }

    /// The device's bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Buffer(buffer) => buffer.size(),
            Self::Texture(texture, _) => u64::from(texture.width()) * u64::from(texture.height()) * 16,
        }
    }

    /// For a bind group.
    pub fn binding(&self) -> wgpu::BindingResource<'_> {
        match self {
            Self::Buffer(buffer) => buffer.as_entire_binding(),
            Self::Texture(_, view) => wgpu::BindingResource::TextureView(view),
        }
    }

    /// For a bind group's layout.
    pub fn binding_type(&self, writes: bool) -> wgpu::BindingType {
        match self {
            Self::Buffer(_) => wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: !writes },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            Self::Texture(..) => wgpu::BindingType::StorageTexture {
                access: if writes {
                    wgpu::StorageTextureAccess::WriteOnly
                } else {
                    wgpu::StorageTextureAccess::ReadOnly
                },
                format: wgpu::TextureFormat::Rgba32Float,
                view_dimension: wgpu::TextureViewDimension::D2,
            },
        }
    }
}
