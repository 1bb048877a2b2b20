//! A device's peak rate of multiply-adds.

use super::device::Gpu;
use super::session::Session;
use super::weights::Weights;
use crate::error::Result;
use crate::graph::{Graph, Kind};
use crate::kernels::{Dispatch, Operand};
use crate::plan::{Medium, Plan, Slot};

/// Rounds of 96 multiply-adds that each invocation computes.
const ROUNDS: u32 = 256;
/// Invocations at first, and at most. Their number grows until the device is busy for [`WHILE`] seconds.
const INVOCATIONS: [u32; 2] = [1 << 16, 1 << 22];
/// From this duration in seconds on, the start and the end of a dispatch are negligible.
const WHILE: f64 = 2e-3;
/// Number of measurements. The best one counts.
const RUNS: usize = 5;

impl Gpu {
    /// Multiply-adds per second of `peak.wgsl`, which does not wait for memory.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device has no clock or fails.
    pub async fn peak(&self) -> Result<f64> {
        let mut invocations = INVOCATIONS[0];
        loop {
            let seconds = self.seconds_of_peak(invocations).await?;
            if seconds >= WHILE || invocations >= INVOCATIONS[1] {
                return Ok(f64::from(invocations) * f64::from(ROUNDS) * 96.0 / seconds);
            }
            invocations *= 4;
        }
    }

    /// The shortest measured time of the shader with this many invocations, in seconds.
    async fn seconds_of_peak(&self, invocations: u32) -> Result<f64> {
        let mut graph = Graph::default();
        let y = graph.input(Kind::Plain, [1, 1, 1, invocations as usize]);
        let workgroup = self.profile().flat;
        let dispatch = Dispatch {
            node: y,
            before: vec![],
            shader: "peak",
            defines: vec![("WORKGROUP", workgroup), ("ROUNDS", ROUNDS)],
            params: bytemuck::bytes_of(&[invocations, 0.5_f32.to_bits()]).to_vec(),
            operands: vec![Operand::Write(y)],
            groups: invocations / workgroup,
            product: None,
        };
        let plan = Plan {
            dispatches: vec![dispatch],
            types: vec![graph.nodes[y].ty],
            slots: vec![Slot { medium: Medium::Words, bytes: u64::from(invocations) * 4 }],
            slot_of: vec![Some(0)],
            inputs: vec![],
            outputs: vec![y],
            kept: vec![],
        };
        let session = Session::new(self, &mut Weights::default(), &graph, &plan).await?;
        let mut seconds = f64::INFINITY;
        for _ in 0..RUNS {
            seconds = session.time(self, 1).await?.iter().map(|t| t.seconds).sum::<f64>().min(seconds);
        }
        Ok(seconds)
    }
}
