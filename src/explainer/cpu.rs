//! Batches, and overlays, on the CPU.

use super::drawing::Drawing;
use super::recipe::Built;
use super::request::Style;
use super::result::{Map, Overlay};
use crate::error::Result;
use crate::gpu::Given;
use crate::graph::{self, Graph, Kind, NodeId};
use crate::memory::{self, Share};
use crate::picture::Photo;
use crate::reference::{self, Value};

/// An input's content, of bytes.
fn value(graph: &Graph, (id, bytes): &Given) -> (NodeId, Value) {
    let numbers = || bytes.chunks_exact(4).map(|b| f64::from(f32::from_ne_bytes([b[0], b[1], b[2], b[3]]))).collect();
    let pixels = graph.nodes[*id].ty.kind == Kind::Pixels;
    (*id, if pixels { Value::Pixels(bytes.to_vec()) } else { Value::Numbers(numbers()) })
}

/// Content as bytes.
fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::Numbers(numbers) => numbers.iter().flat_map(|v| (*v as f32).to_ne_bytes()).collect(),
        Value::Pixels(pixels) => pixels,
    }
}

/// Computes a batch, and the overlays after it, by the reference on the CPU. Takes and returns bytes, as the GPU does.
///
/// # Errors
/// [`crate::Error::Memory`], before any is taken.
pub fn on_cpu(built: &Built, inputs: &[Given], drawing: Option<(&Drawing, &[Given])>) -> Result<(Vec<Vec<u8>>, Share)> {
    // The heat maps come last, where overlays need them.
    let kept = drawing.map(|_| built.heatmap);
    let wanted: Vec<NodeId> = built.outputs.iter().copied().chain(kept).collect();
    // The strips are copied before they are drawn on.
    let copied = |inputs: &[Given]| inputs.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
    let drawn = drawing
        .map_or(0, |(drawing, strips)| reference::memory(&drawing.graph, &drawing.drawn.outputs) + copied(strips));
    let needed = reference::memory(&built.graph, &wanted) + 2 * copied(inputs);
    let mut share = memory::take("the CPU", needed.max(drawn))?;
    let given: Vec<_> = inputs.iter().map(|input| value(&built.graph, input)).collect();
    let mut values = reference::evaluate(&built.graph, &given, &wanted);
    if let Some((Drawing { graph, heatmap, drawn }, strips)) = drawing {
        let heatmaps = values.split_off(built.outputs.len()).into_iter().map(|value| (*heatmap, value));
        drop(given);
        let given: Vec<_> = strips.iter().map(|strip| value(graph, strip)).chain(heatmaps).collect();
        values.extend(reference::evaluate(graph, &given, &drawn.outputs));
    }
    let values: Vec<Vec<u8>> = values.into_iter().map(bytes).collect();
    share.is_used(values.iter().map(|bytes| bytes.len() as u64).sum());
    Ok((values, share))
}

impl Overlay {
    /// Draws a heat map over the part of a photo that the network saw, `crop`: left, top, width and height, see
    /// [`crate::picture::Crop::in_photo`]. It is drawn on the CPU, after all else is done; in a batch the device draws
    /// overlays, much faster. `signed` says whether the map is in -1..1.
    ///
    /// # Errors
    /// [`crate::Error::Request`] if the photo's pixels were dropped.
    pub fn over(photo: &Photo, crop: [f64; 4], map: &Map, style: Style, signed: bool) -> Result<Self> {
        let [width, height] = [photo.width(), photo.height()];
        let overlay = graph::Overlay { map: 0, crop: crop.map(|v| v as f32), signed };
        let values: Vec<f64> = map.values.iter().map(|value| f64::from(*value)).collect();
        let colours: Vec<f64> = style.colours().into_iter().map(f64::from).collect();
        let heatmap = (&values[..], [1, 1, map.height, map.width]);
        let photo = (photo.shown()?, [1, 3, height as usize, width as usize]);
        Ok(Self { width, height, rgba: reference::draw(&overlay, heatmap, photo, &colours) })
    }
}
