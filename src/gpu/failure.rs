//! Failures of a device. The first one is kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a device may take to answer, unless the options say otherwise.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How long a wait takes before its caller is asked whether to go on.
#[cfg(not(target_arch = "wasm32"))]
pub const PULSE: Duration = Duration::from_millis(50);

/// Why a device can no longer be used.
#[derive(Clone)]
pub enum Failure {
    /// It was lost, for this reason.
    Lost(String),
    /// It did not answer in time.
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "a browser waits by itself"))]
    TimedOut,
    /// It raised an error that no caller was waiting for.
    Unawaited(String),
}

/// The first failure of a device. Later ones are consequences of it.
#[derive(Clone, Default)]
pub struct Failures(Arc<Mutex<Option<Failure>>>);

impl Failures {
    /// Keeps the failure, if it is the first one.
    pub fn note(&self, failure: Failure) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
    }

    pub fn first(&self) -> Option<Failure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
