//! Time of each dispatch by the device's own clock.

use web_time::Instant;

use super::clock::Clock;
use super::device::Gpu;
use super::owned::Owned;
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

    /// Runs all dispatches `times` times, and returns the mean time of a run by the caller's clock, the way to the device and
    /// back included.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device fails.
    pub async fn time_outside(&self, gpu: &Gpu, times: u32) -> Result<f64> {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = Owned::new(&gpu.handle.device, "times", 16, usage);
        let mut encoder = gpu.handle.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        (0..times).for_each(|_| self.steps.iter().for_each(|step| step.encode(&mut pass)));
        drop(pass);
        // A buffer can be read only after what was submitted before.
        encoder.clear_buffer(&staging, 0, None);
        let start = Instant::now();
        gpu.handle.submit(encoder);
        let mapped = gpu.handle.map(&staging, staging.size());
        gpu.handle.read(&staging, mapped, staging.size(), |_| ()).await?;
        Ok(start.elapsed().as_secs_f64() / f64::from(times))
    }
}

async fn time(gpu: &Gpu, steps: &[Step], times: u32) -> Result<Vec<Timed>> {
    let count = steps.len() as u32 * 2;
    let clock = Clock::new(&gpu.handle, count).ok_or_else(|| gpu.error("has no timestamp queries"))?;
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let staging = Owned::new(&gpu.handle.device, "times", u64::from(count) * 8, usage);
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
