//! Properties of an adapter that are known before it is opened.

/// A graphics API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Backend {
    /// Vulkan.
    Vulkan,
    /// Apple's Metal.
    Metal,
    /// Direct3D 12.
    Dx12,
    /// OpenGL or OpenGL ES.
    Gl,
    /// A browser's WebGPU.
    WebGpu,
}

impl Backend {
    pub(super) fn flags(self) -> wgpu::Backends {
        match self {
            Self::Vulkan => wgpu::Backends::VULKAN,
            Self::Metal => wgpu::Backends::METAL,
            Self::Dx12 => wgpu::Backends::DX12,
            Self::Gl => wgpu::Backends::GL,
            Self::WebGpu => wgpu::Backends::BROWSER_WEBGPU,
        }
    }

    fn of(backend: wgpu::Backend) -> Self {
        match backend {
            wgpu::Backend::Metal => Self::Metal,
            wgpu::Backend::Dx12 => Self::Dx12,
            wgpu::Backend::Gl => Self::Gl,
            wgpu::Backend::BrowserWebGpu => Self::WebGpu,
            wgpu::Backend::Vulkan | wgpu::Backend::Noop => Self::Vulkan,
        }
    }
}

/// Properties of an adapter.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AdapterInfo {
    /// The product's name.
    pub name: String,
    /// The graphics API that reaches it.
    pub backend: Backend,
    /// The driver and its version.
    pub driver: String,
    /// Whether it runs on the CPU.
    pub software: bool,
    /// The largest piece of memory that a kernel can bind, in bytes.
    pub max_binding: u64,
    /// The largest buffer, in bytes.
    pub max_buffer: u64,
    /// Maximum numbers of storage buffers and of storage textures that a kernel can bind.
    pub storage_bindings: [u32; 2],
    /// Maximum shared memory of a workgroup, in bytes.
    pub workgroup_bytes: u32,
    /// Maximum number of invocations in a workgroup.
    pub workgroup_invocations: u32,
    /// Smallest and largest subgroup size, if the invocations of a subgroup can exchange values.
    pub subgroup_sizes: Option<[u32; 2]>,
    /// The subgroup size, if all subgroups have the same size, a power of two from 4 to 128, and their invocations can
    /// exchange values.
    pub subgroup: Option<u32>,
    /// Whether it supports timestamp queries.
    pub timestamps: bool,
    /// Whether shaders can compute in f16 (`shader-f16`).
    pub f16: bool,
    /// Matrix products that a subgroup computes as one operation, such as `16×16×16 f16 → f32`: rows, columns, steps,
    /// type of the operands and type of the sum.
    pub cooperative_matrices: Vec<String>,
}

impl AdapterInfo {
    pub(super) fn of(adapter: &wgpu::Adapter) -> Self {
        let (info, limits, features) = (adapter.get_info(), adapter.limits(), adapter.features());
        let exchanges = features.contains(wgpu::Features::SUBGROUP);
        let cooperative_matrices = adapter.cooperative_matrix_properties().into_iter().map(|p| {
            let extents = format!("{}×{}×{}", p.m_size, p.n_size, p.k_size);
            format!("{extents} {:?} → {:?}", p.ab_type, p.cr_type).to_lowercase()
        });
        Self {
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            backend: Backend::of(info.backend),
            software: info.device_type == wgpu::DeviceType::Cpu,
            max_binding: limits.max_storage_buffer_binding_size,
            max_buffer: limits.max_buffer_size,
            storage_bindings: [
                limits.max_storage_buffers_per_shader_stage,
                limits.max_storage_textures_per_shader_stage,
            ],
            workgroup_bytes: limits.max_compute_workgroup_storage_size,
            workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            subgroup_sizes: exchanges.then_some([info.subgroup_min_size, info.subgroup_max_size]),
            timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
            f16: features.contains(wgpu::Features::SHADER_F16),
            cooperative_matrices: cooperative_matrices.collect(),
            subgroup: Some(info.subgroup_max_size).filter(|size| {
                exchanges && info.subgroup_min_size == *size && size.is_power_of_two() && (4..=128).contains(size)
            }),
            name: if info.name.is_empty() { "this browser's GPU".into() } else { info.name },
        }
    }
}
