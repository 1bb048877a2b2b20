//! Timestamp queries: the device's own clock.

use super::handle::Handle;
use super::owned::Owned;

/// Bytes of a run's two timestamps: beginning and end.
pub const CLOCK_BYTES: u64 = 16;

/// The timestamp queries of a command buffer.
pub struct Clock {
    queries: wgpu::QuerySet,
    resolved: Owned,
    count: u32,
}

impl Clock {
    /// A clock for `count` timestamps, or `None` if the device has no clock.
    pub fn new(handle: &Handle, count: u32) -> Option<Self> {
        if !handle.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let ty = wgpu::QueryType::Timestamp;
        let queries = handle.device.create_query_set(&wgpu::QuerySetDescriptor { label: None, ty, count });
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let resolved = Owned::new(&handle.device, "clock", u64::from(count) * 8, usage);
        Some(Self { queries, resolved, count })
    }

    /// Writes the timestamps `first` and `first + 1` at the beginning and the end of a compute pass.
    pub fn around(&self, first: u32) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        }
    }

    /// Writes the first two timestamps at the beginning of the first compute pass and at the end of the last.
    pub fn at(&self, is_first: bool, is_last: bool) -> Option<wgpu::ComputePassTimestampWrites<'_>> {
        (is_first || is_last).then(|| wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: is_first.then_some(0),
            end_of_pass_write_index: is_last.then_some(1),
        })
    }

    /// Copies all timestamps to a buffer.
    pub fn resolve(&self, encoder: &mut wgpu::CommandEncoder, to: &wgpu::Buffer, offset: u64) {
        encoder.resolve_query_set(&self.queries, 0..self.count, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, to, offset, self.resolved.size());
    }

    /// Converts a run's two timestamps, beginning and end, to nanoseconds.
    pub fn read(handle: &Handle, ticks: &[u8]) -> Option<[u64; 2]> {
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(ticks);
        let period = f64::from(handle.queue.get_timestamp_period());
        <[u64; 2]>::try_from(ticks).ok().map(|pair| pair.map(|tick| (tick as f64 * period) as u64))
    }
}
