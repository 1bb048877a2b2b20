//! Errors of the work that one caller asks for.

use super::handle::Handle;
use crate::error::{Error, Result};

/// Catches the device's errors on this thread, from its making on.
pub struct Watch([wgpu::ErrorScopeGuard; 3]);

impl Watch {
    /// Begins to catch.
    pub fn new(handle: &Handle) -> Self {
        // A driver that refuses a shader fails by the last one; what follows from it is invalid, and says nothing.
        let filters = [wgpu::ErrorFilter::OutOfMemory, wgpu::ErrorFilter::Validation, wgpu::ErrorFilter::Internal];
        Self(filters.map(|filter| handle.device.push_error_scope(filter)))
    }

    /// What was caught of work that needs `bytes` of memory: the device's loss before all that follows from it, a lack of
    /// memory before what is invalid without it.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::TimedOut`], [`Error::OutOfMemory`] or [`Error::Device`].
    pub async fn end(self, handle: &Handle, bytes: u64) -> Result<()> {
        let Self([out_of_memory, invalid, refused]) = self;
        // The latest first.
        let (refused, invalid, out_of_memory) = (refused.pop(), invalid.pop(), out_of_memory.pop());
        let (refused, invalid, out_of_memory) = (refused.await, invalid.await, out_of_memory.await);
        handle.check()?;
        match (out_of_memory, refused.or(invalid)) {
            (Some(e), _) => {
                let adapter = handle.name.clone();
                Err(Error::OutOfMemory { adapter, needed: bytes >> 20, reason: e.to_string() })
            }
            (None, Some(e)) => Err(handle.error(e.to_string())),
            (None, None) => Ok(()),
        }
    }
}
