//! Time by the device's own clock.

use super::device::Gpu;
use super::session::{Session, Step};
use crate::error::Result;
use crate::graph::NodeId;

/// Bytes of a run's beginning and end.
pub const CLOCK_BYTES: u64 = 16;

/// A dispatch and how long it took.
#[derive(Clone, Debug)]
pub struct Timed {
    /// The graph's node that it computes, or a part of it.
    pub node: NodeId,
    /// The nodes before it that it computes too.
    pub before: Vec<NodeId>,
    /// File name of the shader.
    pub shader: &'static str,
    /// The preprocessor's defines.
    pub defines: Vec<(&'static str, u32)>,
    /// By the device's clock.
    pub seconds: f64,
}

/// Timestamps of a recording.
pub struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    count: u32,
}

impl Clock {
    /// A clock for `count` timestamps; none if the device has no clock.
    pub fn new(gpu: &Gpu, count: u32) -> Option<Self> {
        if !gpu.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let ty = wgpu::QueryType::Timestamp;
        let queries = gpu.device.create_query_set(&wgpu::QuerySetDescriptor { label: None, ty, count });
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let size = u64::from(count) * 8;
        let resolved =
            gpu.device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
        Some(Self { queries, resolved, count })
    }

    /// Timestamps `first` and the next one around a pass.
    pub fn around(&self, first: u32) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        }
    }

    /// Copies all timestamps to a buffer.
    pub fn resolve(&self, encoder: &mut wgpu::CommandEncoder, to: &wgpu::Buffer, offset: u64) {
        encoder.resolve_query_set(&self.queries, 0..self.count, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, to, offset, self.resolved.size());
    }

    /// Beginning and end in nanoseconds, of a run's timestamps.
    pub fn read(gpu: &Gpu, ticks: &[u8]) -> Option<[u64; 2]> {
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(ticks);
        let period = f64::from(gpu.queue.get_timestamp_period());
        <[u64; 2]>::try_from(ticks).ok().map(|pair| pair.map(|tick| (tick as f64 * period) as u64))
    }
}

impl Session {
    /// Runs every dispatch in a pass of its own on the memory as the last run left it, so many times one after the other,
    /// and takes the mean time of each.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device has no clock or fails.
    pub async fn time(&self, gpu: &Gpu, times: u32) -> Result<Vec<Timed>> {
        let count = self.steps.len() as u32 * 2;
        let clock = Clock::new(gpu, count).ok_or_else(|| gpu.error("has no timestamp queries"))?;
        let staging = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: u64::from(count) * 8,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for (step, first) in self.steps.iter().zip((0..).step_by(2)) {
            let timestamp_writes = Some(clock.around(first));
            let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
            let mut pass = encoder.begin_compute_pass(&descriptor);
            (0..times).for_each(|_| step.encode(&mut pass));
        }
        clock.resolve(&mut encoder, &staging, 0);
        gpu.submit(encoder);
        let mapped = gpu.map(&staging, staging.size());
        let ticks = gpu.read(&staging, mapped, staging.size(), bytemuck::pod_collect_to_vec::<u8, u64>).await?;
        let period = f64::from(gpu.queue.get_timestamp_period()) * 1e-9 / f64::from(times);
        let timed = |(step, ticks): (&Step, &[u64])| Timed {
            node: step.node,
            before: step.before.clone(),
            shader: step.shader,
            defines: step.defines.clone(),
            seconds: ticks[1].saturating_sub(ticks[0]) as f64 * period,
        };
        Ok(self.steps.iter().zip(ticks.chunks(2)).map(timed).collect())
    }
}
