//! Adapters and the device made from one.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::failure::{Failure, Failures, PATIENCE};
use super::pipelines::Pipelines;
use crate::error::{Error, Result};
use crate::kernels::Profile;

/// A graphics interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Vulkan.
    Vulkan,
    /// Apple's Metal.
    Metal,
    /// Direct3D 12.
    Dx12,
    /// OpenGL or OpenGL ES.
    Gl,
    /// WebGPU of a browser.
    WebGpu,
}

impl Backend {
    fn flags(self) -> wgpu::Backends {
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

/// What is known of an adapter.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AdapterInfo {
    /// The product's name.
    pub name: String,
    /// The interface that reaches it.
    pub backend: Backend,
    /// Driver and its version.
    pub driver: String,
    /// Whether it runs on the processor.
    pub software: bool,
    /// The largest piece of memory that a kernel can bind, in bytes.
    pub max_binding: u64,
    /// The largest buffer, in bytes.
    pub max_buffer: u64,
    /// Storage buffers and storage textures that a kernel can bind.
    pub storage_bindings: [u32; 2],
    /// Bytes that the invocations of a workgroup can share.
    pub workgroup_bytes: u32,
    /// Invocations that a workgroup can have.
    pub workgroup_invocations: u32,
    /// Invocations of the smallest and of the largest subgroup, if they can exchange values.
    pub subgroup_sizes: Option<[u32; 2]>,
    /// Invocations of a subgroup, if all subgroups are of one size and can exchange values.
    pub subgroup: Option<u32>,
    /// Whether it has a clock that can be read.
    pub timestamps: bool,
    /// Whether shaders can compute in f16 (`shader-f16`).
    pub f16: bool,
    /// Matrices that a subgroup multiplies as one, such as `16×16×16 f16 → f32`: rows, columns, steps, types of the
    /// operands and of the sum.
    pub cooperative_matrices: Vec<String>,
}

impl AdapterInfo {
    fn of(adapter: &wgpu::Adapter) -> Self {
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
            name: info.name,
        }
    }
}

/// The matrices that kernels multiply, as [`AdapterInfo::cooperative_matrices`] names them.
const MATRICES: &str = "16×16×16 f16 → f32";

/// Which adapter to take, and how to use it.
#[derive(Clone, Debug, Default)]
pub struct GpuOptions {
    /// Only this interface; the system's native ones before OpenGL if none is given.
    pub backend: Option<Backend>,
    /// Number in [`Gpu::adapters`], or a part of the name.
    pub adapter: Option<String>,
    /// Kernel variants; if none is given, those that a short measurement on the device found best. It is remembered in
    /// the user's cache folder, or that of the variable `GRADCAM_CACHE`.
    pub profile: Option<Profile>,
    /// Stores weights as f16 on the device: half the memory, at the price of their last bits.
    pub half_weights: bool,
    /// Multiplies large matrices from operands rounded to f16, with sums in f32, by the device's units for that.
    pub half_products: bool,
    /// Keeps the bounds checks of shaders, which are not needed for correct ones. Browsers always keep them.
    pub checked: bool,
    /// Refuses plans that would need more bytes of memory than this, together with the weights and all plans that are kept.
    pub memory_limit: Option<u64>,
    /// How long to wait for an answer before the device is taken for hanging; two minutes if nothing is said. A browser
    /// has limits of its own.
    pub timeout: Option<Duration>,
}

/// An open device.
pub struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: wgpu::Limits,
    pub(super) pipelines: Mutex<Pipelines>,
    /// Submissions and readbacks so far.
    counts: [AtomicU32; 2],
    /// The latest submission.
    last: Mutex<Option<wgpu::SubmissionIndex>>,
    pub(super) failures: Failures,
    pub(super) timeout: Duration,
    info: AdapterInfo,
    pub(super) profile: Profile,
    /// Workgroups along the first dimension of a dispatch at most; more make further rows.
    pub(super) across: u32,
    checked: bool,
    memory_limit: Option<u64>,
    /// Bytes that sessions hold.
    taken: Arc<AtomicU64>,
}

/// Memory that counts as taken.
pub struct Taken {
    bytes: u64,
    of: Arc<AtomicU64>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A buffer's content that was asked for.
pub struct Mapped {
    receiver: futures_channel::oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
    submission: Option<wgpu::SubmissionIndex>,
}

impl Gpu {
    /// All adapters of the given interface, or of all, in the order of their numbers: the best first.
    pub async fn adapters(backend: Option<Backend>) -> Vec<AdapterInfo> {
        enumerate(backend.map_or(wgpu::Backends::all(), Backend::flags)).await.iter().map(AdapterInfo::of).collect()
    }

    /// Opens the adapter that the options ask for.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] if there is none, [`Error::Unknown`] if none has the asked number or name,
    /// [`Error::Device`] if the driver refuses, [`Error::DeviceLost`] or [`Error::TimedOut`] if it fails when it is measured.
    pub async fn open(options: &GpuOptions) -> Result<Self> {
        let adapters = match (options.backend, &options.adapter) {
            (Some(backend), _) => enumerate(backend.flags()).await,
            // A number or a name speaks of the whole list.
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
        if options.half_products && !(info.f16 && info.cooperative_matrices.iter().any(|m| m == MATRICES)) {
            let reason = format!("has no units for matrices of {MATRICES}; use --precision f16-weights");
            return Err(Error::Device { adapter: info.name, reason });
        }
        let (matrices, experimental_features) = if options.half_products { matrices() } else { Default::default() };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("gradcam"),
            experimental_features,
            required_features: adapter.features() & (wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::SUBGROUP)
                | matrices,
            required_limits: limits.clone(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let refused = |e: wgpu::RequestDeviceError| Error::Device {
            adapter: info.name.clone(),
            reason: format!("cannot be opened: {e}"),
        };
        let (device, queue) = adapter.request_device(&descriptor).await.map_err(refused)?;
        let failures = Failures::default();
        let (lost, unawaited) = (failures.clone(), failures.clone());
        device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost.note(Failure::Lost(message));
            }
        });
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| unawaited.note(Failure::Unawaited(e.to_string()))));
        let pipelines = Mutex::default();
        let across = limits.max_compute_workgroups_per_dimension;
        let mut gpu = Self {
            device,
            queue,
            limits,
            pipelines,
            counts: Default::default(),
            last: Mutex::default(),
            failures,
            timeout: options.timeout.unwrap_or(PATIENCE),
            info,
            profile: Profile::BUFFERS,
            across,
            checked: options.checked,
            memory_limit: options.memory_limit,
            taken: Arc::default(),
        };
        gpu.choose_profile(options.profile.clone()).await?;
        let unpacks = adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::SHADER_F16_IN_F32);
        if options.half_weights && !gpu.profile.texture && !unpacks {
            return Err(gpu.error("cannot read f16 from buffers; use --precision f32"));
        }
        gpu.profile.half = options.half_weights;
        if options.half_products {
            if gpu.profile.shared.is_empty() {
                let name = gpu.profile.name;
                return Err(
                    gpu.error(format!("has no macro tiles of f16 in variant '{name}'; choose another --variant"))
                );
            }
            // What was measured for products of f32 says nothing here.
            gpu.profile = Profile { matrices: true, tuned: None, ..gpu.profile };
        }
        Ok(gpu)
    }

    /// The adapter's description.
    pub fn info(&self) -> &AdapterInfo {
        &self.info
    }

    /// The kernel variants in use.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Takes other kernel variants for what is prepared from now on, and dispatches of at most so many workgroups across, if the
    /// device's own limit is not to count.
    pub(crate) fn set_profile(&mut self, profile: Profile, across: Option<u32>) {
        self.profile = profile;
        self.across = across.unwrap_or(self.limits.max_compute_workgroups_per_dimension);
    }

    pub(super) fn checked(&self) -> bool {
        self.checked
    }

    /// Bytes that a plan may take beside so many of weights, as far as that can be known: what is left of the limit that was
    /// set, and for a driver on the processor what the system has left. Graphics cards tell when it is too late, see
    /// [`super::Session::new`].
    pub(super) fn free_memory(&self, weights: u64) -> Option<u64> {
        let system = || {
            let text = std::fs::read_to_string("/proc/meminfo").ok().filter(|_| self.info.software)?;
            let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
            line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib << 10)
        };
        let taken = self.taken.load(Ordering::Relaxed) + weights;
        self.memory_limit.map(|limit| limit.saturating_sub(taken)).into_iter().chain(system()).min()
    }

    /// Counts memory as taken, for as long as what is returned lives.
    pub(super) fn take(&self, bytes: u64) -> Taken {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        Taken { bytes, of: self.taken.clone() }
    }

    /// Hands a recording to the device.
    pub(super) fn submit(&self, encoder: wgpu::CommandEncoder) {
        self.counts[0].fetch_add(1, Ordering::Relaxed);
        let index = self.queue.submit([encoder.finish()]);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(index);
    }

    /// Submissions and readbacks so far.
    pub(super) fn counts(&self) -> [u32; 2] {
        [0, 1].map(|i| self.counts[i].load(Ordering::Relaxed))
    }

    /// Asks for the first `bytes` of a buffer, once the device has filled it.
    pub(super) fn map(&self, staging: &wgpu::Buffer, bytes: u64) -> Mapped {
        self.counts[1].fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = futures_channel::oneshot::channel();
        staging.map_async(wgpu::MapMode::Read, ..bytes, move |mapped| drop(sender.send(mapped)));
        let submission = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Mapped { receiver, submission }
    }

    /// Waits for the device, and hands the bytes that were asked for to `take`.
    pub(super) async fn read<T>(
        &self,
        staging: &wgpu::Buffer,
        mapped: Mapped,
        bytes: u64,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        // A browser runs the callback by itself; elsewhere somebody has to wait.
        #[cfg(not(target_arch = "wasm32"))]
        self.wait(mapped.submission)?;
        let mapped = mapped.receiver.await;
        self.check()?;
        mapped.map_err(|e| self.error(e.to_string()))?.map_err(|e| self.error(e.to_string()))?;
        let taken = take(&staging.get_mapped_range(..bytes).map_err(|e| self.error(e.to_string()))?);
        staging.unmap();
        Ok(taken)
    }
}

/// What the units for matrices need of a device.
#[allow(unsafe_code)]
fn matrices() -> (wgpu::Features, wgpu::ExperimentalFeatures) {
    // SAFETY: experimental features may have defects; this one is used where somebody asked for it.
    let experimental = unsafe { wgpu::ExperimentalFeatures::enabled() };
    (wgpu::Features::SHADER_F16 | wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX, experimental)
}

/// Adapters that can compute: graphics cards before processors, native interfaces before OpenGL.
async fn enumerate(backends: wgpu::Backends) -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    descriptor.flags = wgpu::InstanceFlags::empty().with_env();
    let mut adapters = wgpu::Instance::new(descriptor).enumerate_adapters(backends).await;
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
