//! Things that belong to the process that made them.

use std::mem::ManuallyDrop;
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::PyResult;

use crate::errors::named;

/// A thing of the device's, until it is closed. A process that was forked has a copy of its memory, but none of the driver's
/// threads: there it can neither be used nor freed.
pub struct Once<T> {
    thing: ManuallyDrop<Mutex<Option<T>>>,
    process: u32,
}

impl<T> Once<T> {
    pub fn new(thing: T) -> Self {
        Self { thing: ManuallyDrop::new(Mutex::new(Some(thing))), process: process::id() }
    }

    /// The thing, for one thread at a time.
    pub fn lock(&self) -> PyResult<MutexGuard<'_, Option<T>>> {
        if self.process != process::id() {
            let reason = "the device was opened before this process was forked, and a fork cannot use it; open models in the new \
                          process, or start it by 'spawn' or 'forkserver'";
            return Err(named("DeviceError", reason));
        }
        Ok(self.thing.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Drop for Once<T> {
    fn drop(&mut self) {
        if self.process == process::id() {
            // SAFETY: nothing uses it after this.
            #[allow(unsafe_code)]
            unsafe {
                ManuallyDrop::drop(&mut self.thing);
            }
        }
    }
}

/// The error for a thing that was closed.
pub fn closed(what: &str) -> pyo3::PyErr {
    named("RequestError", &format!("the {what} is closed; open another one"))
}
