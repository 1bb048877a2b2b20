//! Uploads of a run's inputs. Memory visible to CPU and GPU is allocated once and reused. The queue allocates it for
//! each run, which costs more than the copy if inputs are megabytes.

use std::sync::{Arc, Mutex, PoisonError};

use super::handle::Handle;
use super::owned::Owned;
use crate::error::Result;

/// Bytes that a thread writes at a time.
const PART: usize = 1 << 20;
/// Number of threads that write.
#[cfg(not(target_arch = "wasm32"))]
const THREADS: usize = 4;

/// Upload buffers of one size that the CPU may write again.
#[derive(Default)]
pub struct Uploads {
    free: Arc<Mutex<Vec<Owned>>>,
}

impl Uploads {
    /// Copies each content to an upload buffer, and encodes the copies from there to the content's buffer. Give the
    /// returned upload buffer back once the commands are submitted. The contents must have the same sizes each time.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the upload buffer cannot be written: there may be no memory left.
    pub fn copy(
        &self,
        handle: &Handle,
        encoder: &mut wgpu::CommandEncoder,
        contents: &[(&wgpu::Buffer, &[u8])],
    ) -> Result<Option<Owned>> {
        let place = |content: &[u8]| content.len().next_multiple_of(wgpu::MAP_ALIGNMENT as usize);
        let size: usize = contents.iter().map(|(_, content)| place(content)).sum();
        if size == 0 {
            return Ok(None);
        }
        let kept = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let upload = kept.unwrap_or_else(|| {
            let usage = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
            Owned::mapped(&handle.device, "upload", size as u64, usage)
        });
        let mut offset = 0;
        for (buffer, content) in contents {
            fill(&upload, offset, content).map_err(|e| handle.error(format!("an input could not be written: {e}")))?;
            encoder.copy_buffer_to_buffer(&upload, offset, buffer, 0, content.len() as u64);
            offset += place(content) as u64;
        }
        upload.unmap();
        Ok(Some(upload))
    }

    /// Keeps the buffer for a later run, once the device has read it.
    pub fn give_back(&self, upload: Option<Owned>) {
        let Some(upload) = upload else { return };
        let (free, buffer) = (self.free.clone(), upload.clone());
        buffer.map_async(wgpu::MapMode::Write, .., move |mapped| {
            if mapped.is_ok() {
                free.lock().unwrap_or_else(PoisonError::into_inner).push(upload);
            }
        });
    }
}

/// Writes a content at byte `offset`. Several threads write a large one where there are threads, because a single one fills
/// such memory at a fraction of its speed.
fn fill(upload: &wgpu::Buffer, offset: u64, content: &[u8]) -> Result<(), wgpu::MapRangeError> {
    let write = |(part, at): (&[u8], u64)| {
        upload.get_mapped_range_mut(at..at + part.len() as u64)?.copy_from_slice(part);
        Ok(())
    };
    let mut parts = content.chunks(PART).zip((offset..).step_by(PART));
    #[cfg(not(target_arch = "wasm32"))]
    if content.len() >= 2 * PART {
        let parts = Mutex::new(parts);
        let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
        return std::thread::scope(|scope| {
            let threads = [(); THREADS].map(|()| scope.spawn(|| std::iter::from_fn(next).try_for_each(write)));
            threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|p| std::panic::resume_unwind(p)))
        });
    }
    parts.try_for_each(write)
}
