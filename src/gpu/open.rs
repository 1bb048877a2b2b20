//! Finding adapters and opening devices.

use std::sync::Mutex;

use super::device::{Gpu, GpuOptions};
use super::failure::PATIENCE;
use super::handle::Handle;
use super::info::{AdapterInfo, Backend};
use super::pipelines::Pipelines;
use crate::error::{Error, Result};
use crate::kernels::{Factors, Profile};

/// The shape of matrix product that the kernels use, as [`AdapterInfo::cooperative_matrices`] writes it.
const MATRICES: &str = "16×16×16 f16 → f32";

/// Features that are used where a device has them.
const OPTIONAL: wgpu::Features =
    wgpu::Features::TIMESTAMP_QUERY.union(wgpu::Features::SUBGROUP).union(wgpu::Features::SHADER_F16);

impl Gpu {
    /// All adapters of the given graphics API, or of all APIs. They are in the order of their indices, best first.
    pub async fn adapters(backend: Option<Backend>) -> Vec<AdapterInfo> {
        enumerate(backend.map_or(wgpu::Backends::all(), Backend::flags)).await.iter().map(AdapterInfo::of).collect()
    }

    /// Opens the adapter that the options ask for.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if there is none, [`Error::Unknown`] if none has the requested index or name,
    /// [`Error::Device`] if the driver refuses, [`Error::DeviceLost`] or [`Error::TimedOut`] if the device fails during
    /// measurement.
    pub async fn open(options: &GpuOptions) -> Result<Self> {
        let adapters = match (options.backend, &options.adapter) {
            (Some(backend), _) => enumerate(backend.flags()).await,
            // An index or a name refers to the list of all adapters.
            (None, Some(_)) => enumerate(wgpu::Backends::all()).await,
            (None, None) => {
                let native = enumerate(wgpu::Backends::PRIMARY).await;
                if native.is_empty() { enumerate(wgpu::Backends::GL).await } else { native }
            }
        };
        if adapters.is_empty() {
            let sought = options.backend.map_or("any backend".into(), |b| format!("{b:?}"));
            return Err(Error::NoAdapter(sought));
        }
        let names: Vec<String> = adapters.iter().map(|a| a.get_info().name).collect();
        let at = match &options.adapter {
            None => 0,
            Some(wanted) => {
                let by_name = || names.iter().position(|n| n.to_lowercase().contains(&wanted.to_lowercase()));
                let found = wanted.parse().ok().filter(|i: &usize| *i < names.len()).or_else(by_name);
                found.ok_or_else(|| {
                    Error::unknown("device", wanted, "gradcam devices", names.iter().map(String::as_str))
                })?
            }
        };
        Self::request(&adapters[at], options).await
    }

    async fn request(adapter: &wgpu::Adapter, options: &GpuOptions) -> Result<Self> {
        let info = AdapterInfo::of(adapter);
        let limits = adapter.limits();
        if options.half_products && !info.f16 {
            let reason = "cannot compute in f16; use --precision f16-weights".into();
            return Err(Error::Device { adapter: info.name, reason });
        }
        let factors = match options.half_products {
            false => Factors::F32,
            true if info.cooperative_matrices.iter().any(|m| m == MATRICES) => Factors::Matrices,
            true => Factors::F16,
        };
        let (matrices, experimental_features) =
            if factors == Factors::Matrices { matrices() } else { Default::default() };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("gradcam"),
            experimental_features,
            required_features: adapter.features() & OPTIONAL | matrices,
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let refused = |e: wgpu::RequestDeviceError| Error::Device {
            adapter: info.name.clone(),
            reason: format!("cannot be opened: {e}"),
        };
        let (device, queue) = adapter.request_device(&descriptor).await.map_err(refused)?;
        let across = limits.max_compute_workgroups_per_dimension;
        let patience = (options.timeout.unwrap_or(PATIENCE), options.interrupt.clone());
        let verdict = options.measured.of(&info).cloned().unwrap_or_default();
        let mut gpu = Self {
            handle: Handle::new(info, device, queue, limits, patience),
            pipelines: Mutex::new(Pipelines::new(options.checked)),
            profile: Profile::BUFFERS,
            verdict,
            across,
            memory_limit: options.memory_limit,
        };
        gpu.choose_profile(options.profile.clone()).await?;
        let unpacks = adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::SHADER_F16_IN_F32);
        if options.half_weights && !gpu.profile.texture && !unpacks {
            return Err(gpu.error("cannot read f16 from buffers; use --precision f32"));
        }
        gpu.profile.half = options.half_weights;
        if options.half_products {
            if gpu.profile.shared.is_empty() {
                let [name, other] = [gpu.profile.name, Profile::BUFFERS_SHARED.name];
                return Err(gpu.error(format!("computes nothing in f16 in variant '{name}'; use --variant {other}")));
            }
            // Measurements of f32 products do not apply to f16 ones.
            gpu.profile = Profile { factors, tuned: None, ..gpu.profile };
        }
        Ok(gpu)
    }
}

/// The device features that the matrix units need.
#[allow(unsafe_code)]
fn matrices() -> (wgpu::Features, wgpu::ExperimentalFeatures) {
    // SAFETY: experimental features may have defects. This one is enabled only on explicit request.
    let experimental = unsafe { wgpu::ExperimentalFeatures::enabled() };
    (wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX, experimental)
}

/// Adapters that can compute: GPUs before software drivers, native APIs before OpenGL.
async fn enumerate(backends: wgpu::Backends) -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    descriptor.flags = wgpu::InstanceFlags::empty().with_env();
    let instance = wgpu::Instance::new(descriptor);
    // A browser names one adapter, and without this wish that of its windows.
    #[cfg(target_arch = "wasm32")]
    let mut adapters: Vec<_> = {
        let power_preference = wgpu::PowerPreference::HighPerformance;
        let wish = wgpu::RequestAdapterOptions { power_preference, ..Default::default() };
        instance.request_adapter(&wish).await.into_iter().collect()
    };
    #[cfg(not(target_arch = "wasm32"))]
    let mut adapters = instance.enumerate_adapters(backends).await;
    adapters.retain(|a| a.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS));
    adapters.sort_by_key(|a| {
        let info = a.get_info();
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => 0,
            wgpu::DeviceType::IntegratedGpu => 1,
            wgpu::DeviceType::VirtualGpu => 2,
            wgpu::DeviceType::Other => 3,
            wgpu::DeviceType::Cpu => 4,
        };
        (kind, info.backend == wgpu::Backend::Gl)
    });
    adapters
}
