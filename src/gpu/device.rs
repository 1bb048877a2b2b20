//! An open device, and the options to open it with.

use std::sync::Mutex;
use std::time::Duration;

use super::failure::Failure;
use super::handle::Handle;
use super::info::{AdapterInfo, Backend};
use super::interrupt::Interrupt;
use super::pipelines::Pipelines;
use super::verdict::{Verdict, Verdicts};
use crate::error::{Error, Result};
use crate::kernels::Profile;
use crate::memory;

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
    /// Use only this graphics API. If `None`, the system's native ones come before OpenGL.
    pub backend: Option<Backend>,
    /// Index in [`Gpu::adapters`], or a part of the adapter's name.
    pub adapter: Option<String>,
    /// The kernel variant, see [`GpuOptions::variant`]. If `None`, the one that suits the device best.
    #[doc(hidden)] // for the tests, which make their own
    pub profile: Option<Profile>,
    /// Earlier measurements of devices. If they lack this device and no profile is given, a measurement of some
    /// milliseconds chooses the profile. Keep [`Gpu::verdict`] to skip it the next time.
    pub measured: Verdicts,
    /// Store weights as f16 on the device: half the memory, at the price of their last bits.
    pub half_weights: bool,
    /// Round the operands of large products to f16, and use the device's matrix units if it has any. Sums are f32.
    pub half_products: bool,
    /// Keep the bounds checks of shaders. Correct shaders do not need them. Browsers always keep them.
    pub checked: bool,
    /// Refuse a plan if it, the weights and all kept plans together need more bytes of memory than this.
    pub memory_limit: Option<u64>,
    /// How long to wait for an answer before the device counts as hanging; two minutes if `None`. A browser has limits
    /// of its own.
    pub timeout: Option<Duration>,
    /// Asked again and again during waits, see [`GpuOptions::interrupt`].
    pub interrupt: Option<Interrupt>,
}

impl GpuOptions {
    /// Uses only this graphics API, or any for `None`.
    #[must_use]
    pub fn backend(self, backend: impl Into<Option<Backend>>) -> Self {
        Self { backend: backend.into(), ..self }
    }

    /// Uses the adapter with this index or name.
    #[must_use]
    pub fn adapter(self, adapter: impl Into<String>) -> Self {
        Self { adapter: Some(adapter.into()), ..self }
    }

    /// Uses the kernel variant of this name: one of [`Gpu::variants`].
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is no such name.
    pub fn variant(self, name: &str) -> Result<Self> {
        Ok(Self { profile: Some(Profile::named(name)?), ..self })
    }

    /// Sets whether weights are stored as f16.
    #[must_use]
    pub fn half_weights(self, half_weights: bool) -> Self {
        Self { half_weights, ..self }
    }

    /// Sets whether large products round their operands to f16.
    #[must_use]
    pub fn half_products(self, half_products: bool) -> Self {
        Self { half_products, ..self }
    }

    /// Sets whether shaders keep their bounds checks.
    #[must_use]
    pub fn checked(self, checked: bool) -> Self {
        Self { checked, ..self }
    }

    /// Limits memory to this many bytes. `None` removes the limit.
    #[must_use]
    pub fn memory_limit(self, bytes: impl Into<Option<u64>>) -> Self {
        Self { memory_limit: bytes.into(), ..self }
    }

    /// Sets how long to wait for an answer. `None` restores the default.
    #[must_use]
    pub fn timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        Self { timeout: timeout.into(), ..self }
    }

    /// Sets a function that is asked at the begin of a wait, and every 50 ms, whether to stop. Then [`Error::Interrupted`] comes back, and the
    /// device can be used again once it has finished what was submitted. A browser waits by itself.
    #[must_use]
    pub fn interrupt(self, is_due: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { interrupt: Some(Interrupt::new(is_due)), ..self }
    }

    /// Sets the earlier measurements of devices.
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
    pub(super) profile: Profile,
    /// What was measured on this device.
    pub(super) verdict: Verdict,
    /// Maximum number of workgroups along the first dimension of a dispatch. More workgroups make further rows.
    pub(super) across: u32,
    pub(super) memory_limit: Option<u64>,
}

impl Gpu {
    /// The adapter's description.
    pub fn info(&self) -> &AdapterInfo {
        &self.handle.info
    }

    /// Name of the kernel variant in use.
    pub fn variant(&self) -> &'static str {
        self.profile.name
    }

    #[doc(hidden)] // for the tests and benches
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Uses this profile for everything that is prepared from now on. If given, `across` replaces the device's own
    /// limit of workgroups along the first dimension of a dispatch.
    #[cfg(not(target_arch = "wasm32"))] // for `verify`
    pub(crate) fn set_profile(&mut self, profile: Profile, across: Option<u32>) {
        self.profile = profile;
        self.across = across.unwrap_or(self.handle.limits.max_compute_workgroups_per_dimension);
    }

    /// What was measured on this device, now or earlier. Pass it to [`GpuOptions::measured`] the next time.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// Fails if the device can no longer be used: it was lost or did not answer. Otherwise the next request would tell.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::TimedOut`] or [`Error::Device`].
    pub fn check(&self) -> Result<()> {
        self.handle.check()
    }

    /// Frees the device and all memory on it early. Pending and later work fails with [`Error::DeviceLost`].
    pub fn destroy(&self) {
        self.handle.failures.note(Failure::Lost("it was destroyed".into()));
        self.handle.device.destroy();
    }

    /// The error for `reason` on this device.
    pub(super) fn error(&self, reason: impl Into<String>) -> Error {
        self.handle.error(reason)
    }

    /// Bytes left for a plan beside `weights` bytes of weights, where this is known: the rest of the limit that was
    /// set, and, for a software driver, what [`memory::free`] says. The smaller one counts. A hardware driver reports a
    /// lack of memory only when it is too late, see [`super::Session::new`].
    pub(super) fn free_memory(&self, weights: u64) -> Option<u64> {
        let system = || memory::free().filter(|_| self.info().software);
        let taken = self.handle.taken() + weights;
        self.memory_limit.map(|limit| limit.saturating_sub(taken)).into_iter().chain(system()).min()
    }
}
