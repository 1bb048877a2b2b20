//! The handle of an open device: its queue and limits, its pending work and readbacks, and a wait that always ends.

use std::sync::Arc;
#[cfg(not(target_arch = "wasm32"))]
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

#[cfg(not(target_arch = "wasm32"))]
use super::failure::PULSE;
use super::failure::{Failure, Failures};
use super::info::AdapterInfo;
use super::interrupt::Interrupt;
use crate::error::{Error, Result};
use crate::memory::Share;

/// A device and its queue.
pub struct Handle {
    pub info: AdapterInfo,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: wgpu::Limits,
    pub failures: Failures,
    /// How long to wait for an answer.
    pub timeout: Duration,
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "a browser waits by itself"))]
    interrupt: Option<Interrupt>,
    /// Numbers of submissions and of readbacks so far.
    counts: [AtomicU32; 2],
    /// The latest submission.
    #[cfg(not(target_arch = "wasm32"))]
    last: std::sync::Mutex<Option<wgpu::SubmissionIndex>>,
    /// Bytes of device memory that sessions hold.
    taken: Arc<AtomicU64>,
}

/// Memory that counts as taken until this is dropped.
pub struct Taken {
    bytes: u64,
    of: Arc<AtomicU64>,
    _share: Share,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Submitted work, to be waited for.
pub struct Submission(
    #[cfg(not(target_arch = "wasm32"))] wgpu::SubmissionIndex,
    #[cfg(target_arch = "wasm32")] futures_channel::oneshot::Receiver<()>,
);

/// A pending buffer read.
pub struct Mapped {
    receiver: futures_channel::oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
    #[cfg(not(target_arch = "wasm32"))]
    submission: Option<wgpu::SubmissionIndex>,
}

impl Handle {
    /// Wraps a device that was just opened. Its failures are recorded from now on.
    pub fn new(
        info: AdapterInfo,
        device: wgpu::Device,
        queue: wgpu::Queue,
        limits: wgpu::Limits,
        (timeout, interrupt): (Duration, Option<Interrupt>),
    ) -> Self {
        let failures = Failures::default();
        let (lost, unawaited) = (failures.clone(), failures.clone());
        device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost.note(Failure::Lost(message));
            }
        });
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| unawaited.note(Failure::Unawaited(e.to_string()))));
        Self {
            info,
            device,
            queue,
            limits,
            failures,
            timeout,
            interrupt,
            counts: Default::default(),
            #[cfg(not(target_arch = "wasm32"))]
            last: std::sync::Mutex::default(),
            taken: Arc::default(),
        }
    }

    /// Bytes of device memory that sessions hold.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Counts memory as taken while the returned value lives.
    pub fn take(&self, bytes: u64) -> Taken {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        Taken { bytes, of: self.taken.clone(), _share: self.share(bytes) }
    }

    /// A software driver's memory is the system's.
    pub fn share(&self, bytes: u64) -> Share {
        if self.info.software { Share::of(bytes) } else { Share::default() }
    }

    /// Submits the commands of an encoder.
    pub fn submit(&self, encoder: wgpu::CommandEncoder) -> Submission {
        self.counts[0].fetch_add(1, Ordering::Relaxed);
        let _index = self.queue.submit([encoder.finish()]);
        #[cfg(target_arch = "wasm32")]
        {
            let (sender, receiver) = futures_channel::oneshot::channel();
            self.queue.on_submitted_work_done(move || _ = sender.send(()));
            Submission(receiver)
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            self.last.lock().unwrap_or_else(PoisonError::into_inner).replace(_index.clone());
            Submission(_index)
        }
    }

    /// Numbers of submissions and of readbacks so far.
    pub fn counts(&self) -> [u32; 2] {
        [0, 1].map(|i| self.counts[i].load(Ordering::Relaxed))
    }

    /// Requests the first `bytes` of a buffer. They arrive once the device has filled it.
    pub fn map(&self, staging: &wgpu::Buffer, bytes: u64) -> Mapped {
        self.counts[1].fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = futures_channel::oneshot::channel();
        staging.map_async(wgpu::MapMode::Read, ..bytes, move |mapped| drop(sender.send(mapped)));
        Mapped {
            receiver,
            #[cfg(not(target_arch = "wasm32"))]
            submission: self.last.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Waits until the device has finished a submission.
    ///
    /// # Errors
    /// As [`Handle::check`].
    pub async fn ended(&self, submission: Submission) -> Result<()> {
        #[cfg(not(target_arch = "wasm32"))]
        return self.wait(Some(submission.0));
        #[cfg(target_arch = "wasm32")]
        {
            _ = super::browser::reminded(&self.queue, submission.0).await;
            self.check()
        }
    }

    /// Waits for the device and passes the requested bytes to `take`.
    pub async fn read<T>(
        &self,
        staging: &wgpu::Buffer,
        mapped: Mapped,
        bytes: u64,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        // A browser runs the callback by itself. Elsewhere the caller has to wait for the device.
        #[cfg(target_arch = "wasm32")]
        let mapped = super::browser::reminded(&self.queue, mapped.receiver).await;
        #[cfg(not(target_arch = "wasm32"))]
        let mapped = {
            self.wait(mapped.submission)?;
            mapped.receiver.await
        };
        self.check()?;
        mapped.map_err(|e| self.error(e.to_string()))?.map_err(|e| self.error(e.to_string()))?;
        let taken = take(&staging.get_mapped_range(..bytes).map_err(|e| self.error(e.to_string()))?);
        staging.unmap();
        Ok(taken)
    }

    /// The error for `reason` on this device.
    pub fn error(&self, reason: impl Into<String>) -> Error {
        Error::Device { adapter: self.info.name.clone(), reason: reason.into() }
    }

    /// Fails if the device was lost, did not answer, or raised an error that no caller was waiting for.
    pub fn check(&self) -> Result<()> {
        let adapter = || self.info.name.clone();
        match self.failures.first() {
            None => Ok(()),
            Some(Failure::Lost(reason)) => Err(Error::DeviceLost { adapter: adapter(), reason }),
            Some(Failure::TimedOut) => Err(Error::TimedOut { adapter: adapter(), limit: self.timeout }),
            Some(Failure::Unawaited(reason)) => Err(self.error(reason)),
        }
    }

    /// Waits until the device has finished a submission, or all of them for `None`, but no longer than the timeout.
    ///
    /// # Errors
    /// As [`Handle::check`], and [`Error::Interrupted`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        match self.outcome(submission, self.interrupt.as_ref()) {
            Outcome::Ended => Ok(()),
            Outcome::Interrupted => Err(Error::Interrupted),
            Outcome::Failed(failure) => {
                self.failures.note(failure);
                self.check()
            }
        }
    }

    /// Waits likewise.
    #[cfg(not(target_arch = "wasm32"))]
    fn outcome(&self, submission: Option<wgpu::SubmissionIndex>, interrupt: Option<&Interrupt>) -> Outcome {
        let start = std::time::Instant::now();
        let is_due = || interrupt.is_some_and(Interrupt::is_due);
        // A driver may have waited in the submission already.
        if is_due() {
            return Outcome::Interrupted;
        }
        loop {
            let left = self.timeout.saturating_sub(start.elapsed());
            let left = if interrupt.is_some() { left.min(PULSE) } else { left };
            let until = wgpu::PollType::Wait { submission_index: submission.clone(), timeout: Some(left) };
            // wgpu panics if a driver reports a loss during the wait. By then the loss callback has run.
            let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.device.poll(until)));
            match polled {
                Ok(Ok(_)) => return Outcome::Ended,
                Ok(Err(wgpu::PollError::Timeout)) if is_due() => return Outcome::Interrupted,
                // OpenGL waits for at most four seconds, so wait again.
                Ok(Err(wgpu::PollError::Timeout)) if start.elapsed() < self.timeout => {}
                Ok(Err(wgpu::PollError::Timeout)) => return Outcome::Failed(Failure::TimedOut),
                // A lost device did not accept the submission.
                Ok(Err(error)) => return Outcome::Failed(Failure::Unawaited(error.to_string())),
                Err(_) => return Outcome::Failed(Failure::Unawaited("failed while it was waited for".into())),
            }
        }
    }
}

/// How a wait ended.
#[cfg(not(target_arch = "wasm32"))]
enum Outcome {
    Ended,
    Interrupted,
    Failed(Failure),
}

#[cfg(not(target_arch = "wasm32"))]
impl Drop for Handle {
    /// wgpu closes a device only when its work is done, however long that takes. So a device that does not answer is
    /// leaked and left to the system. Work that nobody waited for may hang too, even on a lost device.
    fn drop(&mut self) {
        let hung = matches!(self.failures.first(), Some(Failure::TimedOut));
        if hung || matches!(self.outcome(None, None), Outcome::Failed(Failure::TimedOut)) {
            std::mem::forget((self.device.clone(), self.queue.clone()));
        }
    }
}
