//! Batches on the CPU.

use super::drawing::Drawing;
use super::recipe::Built;
use crate::gpu::Given;
use crate::graph::{Graph, Kind, NodeId};
use crate::reference::{self, Value};

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
