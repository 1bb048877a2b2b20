//! Runs that stop after each value and show it, to find a faulty kernel.

use super::device::Gpu;
use super::memory::Memory;
use super::session::Session;
use crate::error::Result;
use crate::graph::{Graph, Kind, NodeId};
use crate::kernels::{numbers_of, texels_of};
use crate::plan::{Medium, Plan, ZERO_TEXEL, bytes};

impl Session {
    /// Runs the dispatches of the plan in order. As soon as a value of the graph is complete, `judge` receives its node
    /// and its bytes, row-major. The bytes that `judge` returns replace the value for the dispatches that follow.
    ///
    /// # Errors
    /// As [`Session::finish`].
    pub async fn trace(
        &self,
        gpu: &Gpu,
        graph: &Graph,
        plan: &Plan,
        inputs: &[(NodeId, &[u8])],
        mut judge: impl FnMut(NodeId, Vec<u8>) -> Vec<u8>,
    ) -> Result<()> {
        let mut encoder = gpu.handle.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let upload = self.give(gpu, &mut encoder, inputs)?;
        gpu.handle.submit(encoder);
        self.uploads.give_back(upload);
        for (at, step) in self.steps.iter().enumerate() {
            let mut encoder = gpu.handle.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            step.encode(&mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()));
            let of_graph = |node: &NodeId| *node < graph.nodes.len();
            let complete = |node: &NodeId| plan.dispatches[at + 1..].iter().all(|d| d.written() != Some(*node));
            let Some(node) = plan.dispatches[at].written().filter(of_graph).filter(complete) else {
                gpu.handle.submit(encoder);
                continue;
            };
            let (memory, ty) = (&self.memory[plan.slot(node)], graph.nodes[node].ty);
            let size = bytes(ty.kind, ty.shape);
            let (staging, mapped_bytes) = copied(gpu, memory, &mut encoder, size);
            gpu.handle.submit(encoder);
            let mapped = gpu.handle.map(&staging, mapped_bytes);
            let content = gpu.handle.read(&staging, mapped, mapped_bytes, |all| all[..size as usize].to_vec()).await?;
            let features = ty.kind == Kind::Features;
            let plain = if features { numbers_of(&content, ty.shape) } else { content };
            let instead = judge(node, plain);
            let texels = features.then(|| texels_of(&instead, ty.shape));
            memory.write(&gpu.handle, texels.as_deref().map_or(&instead, |texels| bytemuck::cast_slice(texels)));
        }
        Ok(())
    }
}

/// The number that fills unwritten memory; each slot has its own.
fn blank(slot: usize) -> f32 {
    1000.0 + slot as f32
}

impl Session {
    /// Fills all memory, except the zero texel before each value, with numbers that no kernel leaves there by chance.
    pub fn blank(&self, gpu: &Gpu, plan: &Plan) {
        for (slot, memory) in self.memory.iter().enumerate() {
            let mut content = vec![blank(slot); (plan.slots[slot].bytes / 4) as usize];
            if plan.slots[slot].medium == Medium::Texels {
                content[..4].fill(0.0);
            }
            memory.write(&gpu.handle, bytemuck::cast_slice(&content));
        }
    }

    /// Finds the first value with a write next to it since [`Session::blank`]: to the zero texel before it, or to the
    /// texel after it, for which the plan has left room.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device was lost or failed.
    pub async fn spilled(&self, gpu: &Gpu, plan: &Plan) -> Result<Option<NodeId>> {
        let mut encoder = gpu.handle.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let values: Vec<NodeId> = plan.dispatches.iter().filter_map(|d| d.written()).collect();
        let size = values.len() as u64 * 2 * ZERO_TEXEL;
        let staging = staging(gpu, size);
        for (&value, to) in values.iter().zip((0..).step_by(2 * ZERO_TEXEL as usize)) {
            let (memory, ty) = (&self.memory[plan.slot(value)], plan.types[value]);
            // Words have no zero texel before them, so their end is copied twice.
            let end = bytes(ty.kind, ty.shape);
            let start = if ty.kind == Kind::Features { 0 } else { end };
            memory.copy(&mut encoder, start, &staging, to, ZERO_TEXEL);
            memory.copy(&mut encoder, end, &staging, to + ZERO_TEXEL, ZERO_TEXEL);
        }
        gpu.handle.submit(encoder);
        let mapped = gpu.handle.map(&staging, size);
        let edges = gpu.handle.read(&staging, mapped, size, bytemuck::pod_collect_to_vec::<u8, f32>).await?;
        let untouched = |(&value, edges): (&NodeId, &[f32])| {
            let blank = blank(plan.slot(value));
            let before = if plan.types[value].kind == Kind::Features { 0.0 } else { blank };
            edges[..4].iter().all(|v| *v == before) && edges[4..].iter().all(|v| *v == blank)
        };
        let spilled = values.iter().zip(edges.chunks(8)).find(|edges| !untouched(*edges));
        Ok(spilled.map(|(value, _)| *value))
    }
}

/// Creates a buffer for mapping.
fn staging(gpu: &Gpu, size: u64) -> wgpu::Buffer {
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    gpu.handle.device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
}

/// Copies at least the first `size` bytes of `memory` to a new buffer for mapping. Returns the buffer and the number of
/// bytes copied.
fn copied(gpu: &Gpu, memory: &Memory, encoder: &mut wgpu::CommandEncoder, size: u64) -> (wgpu::Buffer, u64) {
    // Textures are copied in whole rows.
    let row = match memory {
        Memory::Buffer(_) => 16,
        Memory::Texture(texture, _) => u64::from(texture.width()) * 16,
    };
    let whole = size.next_multiple_of(row);
    let staging = staging(gpu, whole);
    match memory {
        Memory::Buffer(buffer) => encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, whole),
        Memory::Texture(texture, _) => {
            // A texture of several rows has 4096 texels per row.
            let [row, rows] = [row, whole / row].map(|v| v as u32);
            let layout = wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: (rows > 1).then_some(row),
                rows_per_image: None,
            };
            encoder.copy_texture_to_buffer(
                texture.as_image_copy(),
                wgpu::TexelCopyBufferInfo { buffer: &staging, layout },
                wgpu::Extent3d { width: texture.width(), height: rows, depth_or_array_layers: 1 },
            );
        }
    }
    (staging, whole)
}
