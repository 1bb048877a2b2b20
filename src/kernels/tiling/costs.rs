//! The cost model of a device.

/// Additional cost of a dispatch, in waits for a load: the dispatch before it must be done.
const LAUNCH: f64 = 16.0;

/// Costs of a vector of invocations, in an arbitrary unit. They are fitted to measurements, see `docs/kernels.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// Load of a texel that differs between invocations.
    pub fetch: f64,
    /// Load of a weight texel that neighbouring invocations share.
    pub weight: f64,
    /// Broadcast of one number from a lane to its subgroup.
    pub broadcast: f64,
    /// Load of a texel from shared memory.
    pub staged: f64,
    /// A barrier, for each invocation of the workgroup.
    pub sync: f64,
    /// Wait of an invocation for a load's texels, where too few others run meanwhile.
    pub wait: f64,
    /// Product of a 4×4 matrix and a texel, with its addition to a sum.
    pub product: f64,
    /// A step of four inputs on matrix units, for a subgroup's 32 × 32 outputs.
    pub matrices: f64,
    /// Store of a texel.
    pub store: f64,
    /// All other work of an invocation.
    pub start: f64,
    /// Invocations that the device runs at once, in workgroups of the usual size. With fewer it is partly idle.
    pub parallel: f64,
}

impl Costs {
    /// Cost of `texels` texels of weights. Each invocation of a subgroup of this size loads a part and broadcasts it; 0 means
    /// no subgroup.
    pub fn weights(&self, texels: usize, subgroup: u32) -> f64 {
        match subgroup {
            0 => texels as f64 * self.weight,
            lanes => texels.div_ceil(lanes as usize) as f64 * self.weight + 4.0 * texels as f64 * self.broadcast,
        }
    }

    /// Cost of a dispatch of `invocations` invocations. Each costs `each` and waits for `rounds` rounds of loads. If there are
    /// many, the device works for all of them; if there are few, it mostly waits.
    pub fn dispatch(&self, invocations: f64, rounds: usize, each: f64) -> f64 {
        let alone = self.parallel * (each + rounds as f64 * self.wait);
        (invocations * each).max(alone) + self.parallel * LAUNCH * self.wait
    }
}
