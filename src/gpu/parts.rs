//! The parts of a run that are submitted one by one, so that a device is not taken for long, and a run can be given up.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::handle::{Handle, Submission};

/// How many parts the device has at a time: one to work on, and the next one.
const AHEAD: usize = 2;

/// What is left of a run.
#[derive(Default)]
pub struct Parts {
    waiting: VecDeque<wgpu::CommandEncoder>,
    sent: VecDeque<Submission>,
}

impl Parts {
    fn send(&mut self, handle: &Handle, most: usize) {
        while self.sent.len() < most
            && let Some(part) = self.waiting.pop_front()
        {
            self.sent.push_back(handle.submit(part));
        }
    }
}

/// A run's parts. If it is dropped, those that were not submitted are given up.
pub struct Sending {
    parts: Arc<Mutex<Parts>>,
    count: usize,
    given_up: Arc<AtomicBool>,
}

impl Sending {
    /// How many parts there were.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether all parts are submitted.
    pub fn is_sent(&self) -> bool {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).waiting.is_empty()
    }

    /// The next submission to wait for, after more are sent. None after the last.
    pub fn next(&self, handle: &Handle) -> Option<Submission> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.send(handle, AHEAD);
        parts.sent.pop_front()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_sent() {
            self.given_up.store(true, Ordering::Relaxed);
        }
    }
}

/// The latest run of plans that share memory. A new one is submitted after all of it.
#[derive(Default)]
pub struct Latest {
    parts: Mutex<Weak<Mutex<Parts>>>,
    /// Whether it was given up, so that its results are not in memory.
    given_up: Arc<AtomicBool>,
}

impl Latest {
    /// Whether the latest run was given up.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }

    /// Submits all that is left of the latest run.
    pub fn flush(&self, handle: &Handle) {
        let latest = self.parts.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(parts) = latest {
            parts.lock().unwrap_or_else(PoisonError::into_inner).send(handle, usize::MAX);
        }
    }

    /// Begins to submit these parts.
    pub fn begin(&self, handle: &Handle, waiting: VecDeque<wgpu::CommandEncoder>) -> Sending {
        let count = waiting.len();
        let mut parts = Parts { waiting, sent: VecDeque::new() };
        parts.send(handle, AHEAD);
        let parts = Arc::new(Mutex::new(parts));
        *self.parts.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&parts);
        self.given_up.store(false, Ordering::Relaxed);
        Sending { parts, count, given_up: self.given_up.clone() }
    }
}
