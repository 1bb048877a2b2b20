//! Device memory: words in buffers, texels in buffers or textures.

use half::f16;

use super::handle::Handle;
use super::owned::Owned;
use crate::error::{Error, Result};
use crate::kernels::{ROW, Texel};

/// After an upload of more bytes than this, wait until it is done.
const LARGE_UPLOAD: u64 = 32 << 20;

/// A piece of device memory.
pub enum Memory {
    /// A storage buffer.
    Buffer(Owned),
    /// A storage texture with four floats per texel.
    Texture(wgpu::Texture, wgpu::TextureView),
}

impl Drop for Memory {
    /// As for [`Owned`].
    fn drop(&mut self) {
        if let Self::Texture(texture, _) = self {
            texture.destroy();
        }
    }
}

/// The extent of a texture for `texels` texels. The width is always a power of two, the height never is. llvmpipe
/// compiles a shader again for each mixture of textures with and without power-of-two extents, see `docs/kernels.md`.
fn extent(texels: u64) -> wgpu::Extent3d {
    let row = ROW as u64;
    let rows = u32::try_from(texels.div_ceil(row)).unwrap_or(u32::MAX);
    wgpu::Extent3d {
        width: texels.min(row).next_power_of_two() as u32,
        height: if rows < 3 { 3 } else { rows.saturating_add(u32::from(rows.is_power_of_two())) },
        depth_or_array_layers: 1,
    }
}

impl Memory {
    /// Allocates zeroed memory, as a texture or as a buffer.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if a single texture or buffer may not be this large. Whether the device has enough memory
    /// is known from the error scope around the allocations.
    pub fn new(handle: &Handle, texture: bool, bytes: u64) -> Result<Self> {
        if texture {
            return Self::texture(handle, wgpu::TextureFormat::Rgba32Float, bytes.div_ceil(16));
        }
        Self::buffer(handle, bytes)
    }

    fn texture(handle: &Handle, format: wgpu::TextureFormat, texels: u64) -> Result<Self> {
        let (size, rows) = (extent(texels), handle.limits.max_texture_dimension_2d);
        if size.height > rows {
            return Err(too_large(handle, texels * 16, format!("a texture has at most {rows} rows")));
        }
        let texture = handle.device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage: wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Ok(Self::Texture(texture, view))
    }

    fn buffer(handle: &Handle, bytes: u64) -> Result<Self> {
        let largest = handle.limits.max_storage_buffer_binding_size.min(handle.limits.max_buffer_size);
        if bytes > largest {
            return Err(too_large(handle, bytes, format!("a piece has at most {} MiB", largest >> 20)));
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        Ok(Self::Buffer(Owned::new(&handle.device, "memory", bytes.next_multiple_of(16), usage)))
    }

    /// Allocates memory and uploads texels to it, after the zero texel that begins every tensor. `half` stores them as
    /// f16.
    ///
    /// # Errors
    /// As [`Memory::new`]; [`Error::Request`] if a number is too large for f16.
    pub fn upload(handle: &Handle, mut texels: Vec<Texel>, texture: bool, half: bool) -> Result<Self> {
        texels.insert(0, [0.0; 4]);
        let count = texels.len() as u64;
        let format = if half { wgpu::TextureFormat::Rgba16Float } else { wgpu::TextureFormat::Rgba32Float };
        let (halves, texel_bytes) = (if half { halves(&texels)? } else { vec![] }, if half { 8 } else { 16 });
        let content: &[u8] = if half { bytemuck::cast_slice(&halves) } else { bytemuck::cast_slice(&texels) };
        let memory =
            if texture { Self::texture(handle, format, count)? } else { Self::buffer(handle, count * texel_bytes)? };
        memory.write(handle, content);
        if memory.bytes() > LARGE_UPLOAD {
            // Pending uploads occupy memory twice. Waiting here keeps a whole network from doing so at once.
            handle.queue.submit([]);
            #[cfg(not(target_arch = "wasm32"))]
            handle.wait(None)?;
        }
        Ok(memory)
    }

    /// Uploads bytes from the start of the memory on. For a texture these must be whole texels.
    pub fn write(&self, handle: &Handle, content: &[u8]) {
        match self {
            Self::Buffer(buffer) => handle.queue.write_buffer(buffer, 0, content),
            Self::Texture(texture, _) => {
                let texel = texel_bytes(texture) as usize;
                let row = texture.width() as usize * texel;
                // Whole rows, then the remaining part of a row.
                let (whole, left) = content.split_at(content.len() / row * row);
                for (y, bytes, row) in [(0, whole, row), (whole.len() / row, left, left.len())] {
                    if bytes.is_empty() {
                        continue;
                    }
                    let [y, width, height, row] = [y, row / texel, bytes.len() / row, row].map(|v| v as u32);
                    let layout =
                        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None };
                    let origin = wgpu::Origin3d { x: 0, y, z: 0 };
                    let to = wgpu::TexelCopyTextureInfo { origin, ..texture.as_image_copy() };
                    let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
                    handle.queue.write_texture(to, bytes, layout, size);
                }
            }
        }
    }

    /// Copies `bytes` bytes, from byte `from` on, to byte `to` of `staging`. For a texture these must be texels of one
    /// row.
    pub fn copy(&self, encoder: &mut wgpu::CommandEncoder, from: u64, staging: &wgpu::Buffer, to: u64, bytes: u64) {
        match self {
            Self::Buffer(buffer) => encoder.copy_buffer_to_buffer(buffer, from, staging, to, bytes),
            Self::Texture(texture, _) => {
                let [first, width] = [from, bytes].map(|bytes| (bytes / texel_bytes(texture)) as u32);
                let origin = wgpu::Origin3d { x: first % texture.width(), y: first / texture.width(), z: 0 };
                let layout = wgpu::TexelCopyBufferLayout { offset: to, bytes_per_row: None, rows_per_image: None };
                encoder.copy_texture_to_buffer(
                    wgpu::TexelCopyTextureInfo { origin, ..texture.as_image_copy() },
                    wgpu::TexelCopyBufferInfo { buffer: staging, layout },
                    wgpu::Extent3d { width, height: 1, depth_or_array_layers: 1 },
                );
            }
        }
    }

    /// Size on the device, in bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Buffer(buffer) => buffer.size(),
            Self::Texture(texture, _) => {
                u64::from(texture.width()) * u64::from(texture.height()) * texel_bytes(texture)
            }
        }
    }

    /// The resource for a bind group entry.
    pub fn binding(&self) -> wgpu::BindingResource<'_> {
        match self {
            Self::Buffer(buffer) => buffer.as_entire_binding(),
            Self::Texture(_, view) => wgpu::BindingResource::TextureView(view),
        }
    }
}

fn texel_bytes(texture: &wgpu::Texture) -> u64 {
    texture.format().block_copy_size(None).unwrap_or(16).into()
}

/// How a shader binds a piece of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binding {
    /// Words or texels in a buffer.
    Buffer {
        /// Whether the shader writes it.
        writes: bool,
    },
    /// Texels in a texture.
    Texture {
        /// Whether the shader writes it.
        writes: bool,
        /// Whether the texels are f16.
        half: bool,
    },
}

impl Binding {
    /// The binding of a value, or, with `half`, of weights stored as f16.
    pub fn new(texture: bool, writes: bool, half: bool) -> Self {
        if texture { Self::Texture { writes, half } } else { Self::Buffer { writes } }
    }

    /// The entry's type in a bind group layout.
    pub fn ty(self) -> wgpu::BindingType {
        match self {
            Self::Buffer { writes } => wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: !writes },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            Self::Texture { writes, half } => wgpu::BindingType::StorageTexture {
                access: if writes {
                    wgpu::StorageTextureAccess::WriteOnly
                } else {
                    wgpu::StorageTextureAccess::ReadOnly
                },
                format: if half { wgpu::TextureFormat::Rgba16Float } else { wgpu::TextureFormat::Rgba32Float },
                view_dimension: wgpu::TextureViewDimension::D2,
            },
        }
    }

    /// Allocates the smallest memory that fits this binding.
    pub fn smallest(self, handle: &Handle) -> Result<Memory> {
        match self {
            Self::Buffer { .. } => Memory::buffer(handle, 16),
            Self::Texture { half: true, .. } => Memory::texture(handle, wgpu::TextureFormat::Rgba16Float, 1),
            Self::Texture { .. } => Memory::texture(handle, wgpu::TextureFormat::Rgba32Float, 1),
        }
    }
}

fn too_large(handle: &Handle, bytes: u64, reason: String) -> Error {
    Error::OutOfMemory { adapter: handle.info.name.clone(), needed: bytes >> 20, reason }
}

/// Converts texels to f16.
fn halves(texels: &[Texel]) -> Result<Vec<f16>> {
    let values: Vec<f16> = texels.iter().flatten().map(|v| f16::from_f32(*v)).collect();
    match values.iter().position(|v| !v.is_finite()) {
        Some(at) => {
            let value = texels[at / 4][at % 4];
            Err(Error::Request(format!("a weight of {value} is too large for f16; use --precision f32")))
        }
        None => Ok(values),
    }
}
