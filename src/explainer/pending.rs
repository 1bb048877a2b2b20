//! Batches that were submitted.

use std::sync::Arc;

use super::drawing::Drawing;
use super::plans::{Picture, Prepared, last};
use super::recipe::Built;
use super::result::{self, Batch};
use crate::error::Result;
use crate::gpu::{Gpu, Run, Stats};
use crate::graph::{Graph, Kind, NodeId};
use crate::model::Model;
use crate::reference::{self, Value};

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
    Done(Vec<Vec<u8>>),
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
            (Work::Done(values), _) => {
                Ok(assemble(&values.iter().map(Vec::as_slice).collect::<Vec<_>>(), Stats::default()))
            }
        }
    }
}

/// The content of an input.
pub type Given<'a> = (NodeId, &'a [u8]);

/// Computes a batch, and the overlays after it, by the reference on the CPU. Takes and returns bytes, as the GPU does.
pub fn on_cpu(built: &Built, inputs: &[Given], drawing: Option<(&Drawing, &[Given])>) -> Vec<Vec<u8>> {
    let value = |graph: &Graph, (id, bytes): &Given| {
        let numbers =
            || bytes.chunks_exact(4).map(|b| f64::from(f32::from_ne_bytes([b[0], b[1], b[2], b[3]]))).collect();
        let pixels = graph.nodes[*id].ty.kind == Kind::Pixels;
        (*id, if pixels { Value::Pixels(bytes.to_vec()) } else { Value::Numbers(numbers()) })
    };
    let bytes = |value| match value {
        Value::Numbers(numbers) => numbers.iter().flat_map(|v| (*v as f32).to_ne_bytes()).collect(),
        Value::Pixels(pixels) => pixels,
    };
    let given: Vec<_> = inputs.iter().map(|input| value(&built.graph, input)).collect();
    // The heat maps come last, where overlays need them.
    let kept = drawing.map(|_| built.heatmap);
    let wanted: Vec<NodeId> = built.outputs.iter().copied().chain(kept).collect();
    let mut values = reference::evaluate(&built.graph, &given, &wanted);
    if let Some((Drawing { graph, heatmap, drawn }, strips)) = drawing {
        let heatmaps = values.split_off(built.outputs.len()).into_iter().map(|value| (*heatmap, value));
        let given: Vec<_> = strips.iter().map(|strip| value(graph, strip)).chain(heatmaps).collect();
        values.extend(reference::evaluate(graph, &given, &drawn.outputs));
    }
    values.into_iter().map(bytes).collect()
}
