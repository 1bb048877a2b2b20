//! What goes wrong on a device: noticed, kept, and told as an error; and the wait for it, which always ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::device::Gpu;
use crate::error::{Error, Result};

/// How long a device may take, unless the options say otherwise.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Why a device is of no use any more.
#[derive(Clone)]
pub enum Failure {
    /// It was lost, for this reason.
    Lost(String),
    /// It did not answer in time.
    TimedOut,
    /// It met an error that nobody awaited.
    Unawaited(String),
}

/// The first failure of a device: the others follow from it.
#[derive(Clone, Default)]
pub struct Failures(Arc<Mutex<Option<Failure>>>);

impl Failures {
    /// Keeps the failure, if it is the first one.
    pub fn note(&self, failure: Failure) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
    }

    fn first(&self) -> Option<Failure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Catches the device's errors on this thread, from its making on.
pub struct Watch([wgpu::ErrorScopeGuard; 3]);

impl Watch {
    /// Begins to catch.
    pub fn new(gpu: &Gpu) -> Self {
        // A driver that refuses a shader fails by the last one; what follows from it is invalid, and says nothing.
        let filters = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::Internal];
        Self(filters.map(|filter| gpu.device.push_error_scope(filter)))
    }

    /// What was caught of work that needs `bytes` of memory: the device's loss before all that follows from it, a lack of
    /// memory before what is invalid without it.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::TimedOut`], [`Error::OutOfMemory`] or [`Error::Device`].
    pub async fn end(self, gpu: &Gpu, bytes: u64) -> Result<()> {
        let Self([out_of_memory, invalid, refused]) = self;
        // The latest first.
        let (refused, invalid, out_of_memory) = (refused.pop(), invalid.pop(), out_of_memory.pop());
        let (refused, invalid, out_of_memory) = (refused.await, invalid.await, out_of_memory.await);
        gpu.check()?;
        match (out_of_memory, refused.or(invalid)) {
            (Some(e), _) => {
                let adapter = gpu.info().name.clone();
                Err(Error::OutOfMemory { adapter, needed: bytes >> 20, reason: e.to_string() })
            }
            (None, Some(e)) => Err(gpu.error(e.to_string())),
            (None, None) => Ok(()),
        }
    }
}

impl Gpu {
    /// Gives the device back before its time, with all memory on it. What is asked of it from now on, or on its way, ends
    /// in [`Error::DeviceLost`].
    pub fn destroy(&self) {
        self.failures.note(Failure::Lost("it was destroyed".into()));
        self.device.destroy();
    }

    /// The error for `reason` on this device.
    pub(super) fn error(&self, reason: impl Into<String>) -> Error {
        Error::Device { adapter: self.info().name.clone(), reason: reason.into() }
    }

    /// Fails if the device was lost or did not answer, or met an error that nobody awaited.
    pub(super) fn check(&self) -> Result<()> {
        let adapter = || self.info().name.clone();
        match self.failures.first() {
            None => Ok(()),
            Some(Failure::Lost(reason)) => Err(Error::DeviceLost { adapter: adapter(), reason }),
            Some(Failure::TimedOut) => Err(Error::TimedOut { adapter: adapter(), limit: self.timeout }),
            Some(Failure::Unawaited(reason)) => Err(self.error(reason)),
        }
    }

    /// Waits until the device has done a submission, or all of them, but not for ever.
    ///
    /// # Errors
    /// As [`Gpu::check`].
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        match self.outcome(submission) {
            None => Ok(()),
            Some(failure) => {
                self.failures.note(failure);
                self.check()
            }
        }
    }

    /// What came of a wait, if not what was waited for.
    #[cfg(not(target_arch = "wasm32"))]
    fn outcome(&self, submission: Option<wgpu::SubmissionIndex>) -> Option<Failure> {
        let start = std::time::Instant::now();
        loop {
            let left = self.timeout.saturating_sub(start.elapsed());
            let until = wgpu::PollType::Wait { submission_index: submission.clone(), timeout: Some(left) };
            // wgpu panics where a driver reports a loss to those who wait; by then it has told the callback.
            let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.device.poll(until)));
            match polled {
                Ok(Ok(_)) => return None,
                // OpenGL waits for four seconds at most.
                Ok(Err(wgpu::PollError::Timeout)) if start.elapsed() < self.timeout => {}
                Ok(Err(wgpu::PollError::Timeout)) => return Some(Failure::TimedOut),
                // A submission that a lost device did not take.
                Ok(Err(error)) => return Some(Failure::Unawaited(error.to_string())),
                Err(_) => return Some(Failure::Unawaited("failed while it was waited for".into())),
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Drop for Gpu {
    /// wgpu closes a device when its work is done, however long that takes: one that does not answer is left to the system.
    /// Work that nobody waited for may hang too, even on a device that was lost.
    fn drop(&mut self) {
        let hung = matches!(self.failures.first(), Some(Failure::TimedOut));
        if hung || matches!(self.outcome(None), Some(Failure::TimedOut)) {
            std::mem::forget((self.device.clone(), self.queue.clone()));
        }
    }
}
