//! Batches that were submitted.

use std::sync::Arc;

use super::plans::{Picture, Prepared, last};
use super::result::{self, Batch};
use crate::error::Result;
use crate::gpu::{Gpu, Run};
#[cfg(not(target_arch = "wasm32"))]
use crate::memory::Share;
use crate::model::Model;

/// A pending batch, see [`crate::Explainer::submit`]. It holds everything it needs, whatever happens to the explainer.
pub struct Pending {
    pub(super) model: Arc<Model>,
    pub(super) prepared: Arc<Prepared>,
    pub(super) picture: Option<Arc<Picture>>,
    pub(super) work: Work,
}

/// A batch's work, on the GPU or already done on the CPU.
pub enum Work {
    Submitted(Arc<Gpu>, Run),
    #[cfg(not(target_arch = "wasm32"))]
    Done((Vec<Vec<u8>>, Share)),
}

impl Pending {
    /// Waits for the batch.
    ///
    /// # Errors
    /// [`crate::Error::DeviceLost`], [`crate::Error::TimedOut`] or [`crate::Error::Device`] if the device failed.
    pub async fn finish(self) -> Result<Batch> {
        self.finish_with(&mut |_, _| ()).await
    }

    /// Waits for the batch. `progress` learns how many parts of it are done, and how many there are: one, or several for
    /// methods that look at many masked images.
    ///
    /// # Errors
    /// As [`Pending::finish`].
    pub async fn finish_with(self, progress: &mut dyn FnMut(usize, usize)) -> Result<Batch> {
        let Self { model, prepared, picture, work } = self;
        let scene = picture.as_ref().map(|picture| &picture.scene);
        let assemble = |values: &[&[u8]], stats| result::assemble(&model, &prepared, scene, values, stats);
        match (work, last(&prepared, picture.as_deref())) {
            (Work::Submitted(gpu, run), Some(session)) => session.finish(&gpu, run, progress, assemble).await,
            (Work::Submitted(..), None) => unreachable!("only a session submits"),
            #[cfg(not(target_arch = "wasm32"))]
            (Work::Done((values, _share)), _) => {
                Ok(assemble(&values.iter().map(Vec::as_slice).collect::<Vec<_>>(), crate::gpu::Stats::default()))
            }
        }
    }
}
