//! Time of each dispatch by the device's own clock.

use super::clock::Clock;
use super::device::Gpu;
use super::session::{Session, Step};
use crate::error::Result;
use crate::graph::NodeId;

/// A dispatch and how long it took.
#[derive(Clone, Debug)]
pub struct Timed {
    /// The graph's node that the dispatch computes, or computes a part of.
    pub node: NodeId,
    /// The nodes before it that the dispatch computes too.
    pub before: Vec<NodeId>,
    /// File name of the shader.
    pub shader: &'static str,
    /// The preprocessor's defines.
    pub defines: Vec<(&'static str, u32)>,
    /// Its time by the device's clock.
    pub seconds: f64,
}

impl Session {
    /// Runs every dispatch `times` times in a compute pass of its own, and returns the mean time of each. The inputs
    /// are what the last run left in memory.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device has no clock or fails.
    pub async fn time(&self, gpu: &Gpu, times: u32) -> Result<Vec<Timed>> {
        let mut timed = vec![];
        for steps in self.steps.chunks(wgpu::QUERY_SET_MAX_QUERIES as usize / 2) {
            timed.extend(time(gpu, steps, times).await?);
        }
        Ok(timed)
    }
}

async fn time(gpu: &Gpu, steps: &[Step], times: u32) -> Result<Vec<Timed>> {
    let count = steps.len() as u32 * 2;
    let clock = Clock::new(&gpu.handle, count).ok_or_else(|| gpu.error("has no timestamp queries"))?;
    let staging = gpu.handle.device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(count) * 8,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = gpu.handle.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    for (step, first) in steps.iter().zip((0..).step_by(2)) {
        let timestamp_writes = Some(clock.around(first));
        let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
        let mut pass = encoder.begin_compute_pass(&descriptor);
        (0..times).for_each(|_| step.encode(&mut pass));
    }
    clock.resolve(&mut encoder, &staging, 0);
    gpu.handle.submit(encoder);
    let mapped = gpu.handle.map(&staging, staging.size());
    let ticks = gpu.handle.read(&staging, mapped, staging.size(), bytemuck::pod_collect_to_vec::<u8, u64>).await?;
    let period = f64::from(gpu.handle.queue.get_timestamp_period()) * 1e-9 / f64::from(times);
    let timed = |(step, ticks): (&Step, &[u64])| Timed {
        node: step.node,
        before: step.before.clone(),
        shader: step.shader,
        defines: step.defines.clone(),
        seconds: ticks[1].saturating_sub(ticks[0]) as f64 * period,
    };
    Ok(steps.iter().zip(ticks.chunks(2)).map(timed).collect())
}
