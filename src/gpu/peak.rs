//! The most multiply-adds that a device can do.

use super::device::Gpu;
use super::session::{Session, Weights};
use crate::error::Result;
use crate::graph::{Graph, Kind};
use crate::kernels::{Dispatch, Operand};
use crate::plan::{Medium, Plan, Slot};

/// Rounds of 96 multiply-adds of an invocation.
const ROUNDS: u32 = 256;
const INVOCATIONS: u32 = 1 << 16;
/// Measurements, of which the best counts.
const RUNS: usize = 5;

impl Gpu {
    /// Multiply-adds a second of `peak.wgsl`, which waits for no memory.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device has no clock or fails.
    pub async fn peak(&self) -> Result<f64> {
        let mut graph = Graph::default();
        let y = graph.input(Kind::Plain, [1, 1, 1, INVOCATIONS as usize]);
        let workgroup = self.profile().flat;
        let dispatch = Dispatch {
            node: y,
            before: vec![],
            shader: "peak",
            defines: vec![("WORKGROUP", workgroup), ("ROUNDS", ROUNDS)],
            params: bytemuck::bytes_of(&[INVOCATIONS, 0.5_f32.to_bits()]).to_vec(),
            operands: vec![Operand::Write(y)],
            groups: INVOCATIONS / workgroup,
            product: None,
        };
        let plan = Plan {
            dispatches: vec![dispatch],
            types: vec![graph.nodes[y].ty],
            slots: vec![Slot { medium: Medium::Words, bytes: u64::from(INVOCATIONS) * 4 }],
            place: vec![Some(0)],
            inputs: vec![],
            outputs: vec![y],
        };
        let session = Session::new(self, &mut Weights::default(), &graph, &plan).await?;
        let mut seconds = f64::INFINITY;
        for _ in 0..RUNS {
            seconds = session.time(self).await?.iter().map(|t| t.seconds).sum::<f64>().min(seconds);
        }
        Ok(f64::from(INVOCATIONS) * f64::from(ROUNDS) * 96.0 / seconds)
    }
}
