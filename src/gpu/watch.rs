//! Errors of the work of one caller.

use super::handle::Handle;
use crate::error::{Error, Result};

/// Catches the device's errors on this thread while it exists.
pub struct Watch([wgpu::ErrorScopeGuard; 3]);

impl Watch {
    /// Begins to catch errors.
    pub fn new(handle: &Handle) -> Self {
        // A driver that refuses a shader raises an internal error. The validation errors that follow are consequences
        // of it and are not reported.
        let filters = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::Internal];
        Self(filters.map(|filter| handle.device.push_error_scope(filter)))
    }

    /// Stops and returns the error of work that needs `bytes` of memory. A lost device takes precedence over its
    /// consequences, and a lack of memory over the errors that follow from it.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::TimedOut`], [`Error::OutOfMemory`] or [`Error::Device`].
    pub async fn end(self, handle: &Handle, bytes: u64) -> Result<()> {
        let Self([out_of_memory, invalid, refused]) = self;
        // In reverse order of creation.
        let (refused, invalid, out_of_memory) = (refused.pop(), invalid.pop(), out_of_memory.pop());
        let (refused, invalid, out_of_memory) = (refused.await, invalid.await, out_of_memory.await);
        handle.check()?;
        match (out_of_memory, refused.or(invalid)) {
            (Some(e), _) => {
                let adapter = handle.info.name.clone();
                Err(Error::OutOfMemory { adapter, needed: bytes >> 20, reason: e.to_string() })
            }
            (None, Some(e)) => Err(handle.error(e.to_string())),
            (None, None) => Ok(()),
        }
    }
}
