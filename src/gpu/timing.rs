//! Time of each dispatch by the device's own clock.

use super::device::Gpu;
use super::session::{Session, Step};
use crate::error::Result;
use crate::graph::NodeId;

/// A dispatch and how long it took.
#[derive(Clone, Debug)]
pub struct Timed {
    /// The graph's node that it computes, or a part of it.
    pub node: NodeId,
    /// File name of the shader.
    pub shader: &'static str,
    /// The preprocessor's defines.
    pub defines: Vec<(&'static str, u32)>,
    /// By the device's clock.
    pub seconds: f64,
}

impl Session {
    /// Runs every dispatch in a pass of its own on the memory as the last run left it, and times it.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device has no clock or fails.
    pub async fn time(&self, gpu: &Gpu) -> Result<Vec<Timed>> {
        if !gpu.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Err(gpu.error("has no timestamp queries"));
        }
        let count = self.steps.len() as u32 * 2;
        let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count,
        });
        let buffer = |usage| wgpu::BufferDescriptor {
            label: None,
            size: u64::from(count) * 8,
            usage,
            mapped_at_creation: false,
        };
        let resolved =
            gpu.device.create_buffer(&buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC));
        let staging = gpu.device.create_buffer(&buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST));
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for (step, first) in self.steps.iter().zip((0..).step_by(2)) {
            let timestamp_writes = Some(wgpu::ComputePassTimestampWrites {
                query_set: &queries,
                beginning_of_pass_write_index: Some(first),
                end_of_pass_write_index: Some(first + 1),
            });
            step.encode(
                &mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes }),
            );
        }
        encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
        encoder.copy_buffer_to_buffer(&resolved, 0, &staging, 0, staging.size());
        gpu.submit(encoder);
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&gpu.read(&staging).await?);
        let seconds =
            |pair: &[u64]| pair[1].saturating_sub(pair[0]) as f64 * f64::from(gpu.queue.get_timestamp_period()) * 1e-9;
        let timed = |(step, ticks): (&Step, &[u64])| Timed {
            node: step.node,
            shader: step.shader,
            defines: step.defines.clone(),
            seconds: seconds(ticks),
        };
        Ok(self.steps.iter().zip(ticks.chunks(2)).map(timed).collect())
    }
}
