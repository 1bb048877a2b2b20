//! What goes wrong on a device: the first failure is noticed and kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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

    pub fn first(&self) -> Option<Failure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
