//! An open device with the kernels that it runs.

use std::sync::Mutex;
use std::time::Duration;

use super::failure::Failure;
use super::handle::Handle;
use super::info::{AdapterInfo, Backend};
use super::pipelines::Pipelines;
use super::verdict::{Verdict, Verdicts};
use crate::error::{Error, Result};
use crate::kernels::Profile;

/// Which adapter to take, and how to use it.
///
/// ```
/// use gradcam::{Backend, GpuOptions};
///
/// # fn main() -> gradcam::Result<()> {
/// let options = GpuOptions::default().backend(Backend::Vulkan).adapter("llvmpipe").variant("textures")?;
/// # assert_eq!(options.adapter.as_deref(), Some("llvmpipe"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GpuOptions {
    /// Only this interface; the system's native ones before OpenGL if none is given.
    pub backend: Option<Backend>,
    /// Number in [`Gpu::adapters`], or a part of the name.
    pub adapter: Option<String>,
    /// Kernel variants, see [`GpuOptions::variant`]; if none is given, those that suit the device best.
    #[doc(hidden)] // for the tests, which make their own
    pub profile: Option<Profile>,
    /// What was measured on devices before. Where nothing is said of this one, and no profile is given, a measurement of some
    /// milliseconds tells which suits it: keep [`Gpu::verdict`] for the next time.
    pub measured: Verdicts,
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

impl GpuOptions {
    /// The same with this interface alone.
    #[must_use]
    pub fn backend(self, backend: impl Into<Option<Backend>>) -> Self {
        Self { backend: backend.into(), ..self }
    }

    /// The same with the adapter of this number or name.
    #[must_use]
    pub fn adapter(self, adapter: impl Into<String>) -> Self {
        Self { adapter: Some(adapter.into()), ..self }
    }

    /// The same with the kernel variants of this name: one of [`Gpu::variants`].
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is no such name.
    pub fn variant(self, name: &str) -> Result<Self> {
        Ok(Self { profile: Some(Profile::named(name)?), ..self })
    }

    /// The same with weights stored as f16, or not.
    #[must_use]
    pub fn half_weights(self, half_weights: bool) -> Self {
        Self { half_weights, ..self }
    }

    /// The same with large products of operands rounded to f16, or not.
    #[must_use]
    pub fn half_products(self, half_products: bool) -> Self {
        Self { half_products, ..self }
    }

    /// The same with the shaders' bounds checks, or without.
    #[must_use]
    pub fn checked(self, checked: bool) -> Self {
        Self { checked, ..self }
    }

    /// The same with at most so many bytes of memory, or as many as there are for `None`.
    #[must_use]
    pub fn memory_limit(self, bytes: impl Into<Option<u64>>) -> Self {
        Self { memory_limit: bytes.into(), ..self }
    }

    /// The same with at most so long a wait, or the usual one for `None`.
    #[must_use]
    pub fn timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        Self { timeout: timeout.into(), ..self }
    }

    /// The same with what was measured before.
    #[must_use]
    pub fn measured(self, measured: Verdicts) -> Self {
        Self { measured, ..self }
    }

    #[doc(hidden)]
    #[must_use]
    pub fn profile(self, profile: impl Into<Option<Profile>>) -> Self {
        Self { profile: profile.into(), ..self }
    }
}

/// An open device.
///
/// ```no_run
/// use gradcam::{Device, Gpu, GpuOptions};
///
/// # async fn open() -> gradcam::Result<()> {
/// let gpu = Gpu::open(&GpuOptions::default()).await?;
/// println!("{} by {}, variant {}", gpu.info().name, gpu.info().driver, gpu.variant());
/// let device = Device::from(gpu);
/// # Ok(())
/// # }
/// ```
pub struct Gpu {
    pub(super) handle: Handle,
    pub(super) pipelines: Mutex<Pipelines>,
    pub(super) info: AdapterInfo,
    pub(super) profile: Profile,
    /// What was measured on it.
    pub(super) verdict: Verdict,
    /// Workgroups along the first dimension of a dispatch at most; more make further rows.
    pub(super) across: u32,
    pub(super) memory_limit: Option<u64>,
}

impl Gpu {
    /// The adapter's description.
    pub fn info(&self) -> &AdapterInfo {
        &self.info
    }

    /// Name of the kernel variants in use.
    pub fn variant(&self) -> &'static str {
        self.profile.name
    }

    #[doc(hidden)] // for the tests and benches
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Takes other kernel variants for what is prepared from now on, and dispatches of at most so many workgroups across, if the
    /// device's own limit is not to count.
    pub(crate) fn set_profile(&mut self, profile: Profile, across: Option<u32>) {
        self.profile = profile;
        self.across = across.unwrap_or(self.handle.limits.max_compute_workgroups_per_dimension);
    }

    /// What was measured on it, now or before: for [`GpuOptions::measured`].
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Gives the device back before its time, with all memory on it. What is asked of it from now on, or on its way, ends
    /// in [`Error::DeviceLost`].
    pub fn destroy(&self) {
        self.handle.failures.note(Failure::Lost("it was destroyed".into()));
        self.handle.device.destroy();
    }

    /// The error for `reason` on this device.
    pub(super) fn error(&self, reason: impl Into<String>) -> Error {
        self.handle.error(reason)
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
        let taken = self.handle.taken() + weights;
        self.memory_limit.map(|limit| limit.saturating_sub(taken)).into_iter().chain(system()).min()
    }
}
