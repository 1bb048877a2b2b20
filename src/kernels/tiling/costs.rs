//! What work costs on a device.

/// What a dispatch costs besides, in waits for a load: the one before must be done.
const LAUNCH: f64 = 16.0;

/// What a vector of invocations pays, in any unit: fitted to measurements, see `docs/kernels.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// Load of a texel that differs between invocations.
    pub fetch: f64,
    /// Load of a weight texel that neighbours share.
    pub weight: f64,
    /// Spreading one number from a lane to its subgroup.
    pub broadcast: f64,
    /// Load of a texel from workgroup memory.
    pub staged: f64,
    /// A barrier, for each invocation of the workgroup that meets there.
    pub sync: f64,
    /// What an invocation waits for a load's texels where too few others run meanwhile.
    pub wait: f64,
    /// Product of a 4×4 matrix and a texel, with its sum.
    pub product: f64,
    /// What matrix units take for a step of four inputs of a subgroup's 32 × 32 outputs.
    pub matrices: f64,
    /// Store of a texel.
    pub store: f64,
    /// All else of an invocation.
    pub start: f64,
    /// Invocations that the device runs at once, in workgroups of the usual size; fewer leave it idle.
    pub parallel: f64,
}

impl Costs {
    /// Of so many texels of weights, which each of a subgroup's invocations loads a part of and spreads; 0 if there is none.
    pub fn weights(&self, texels: usize, subgroup: u32) -> f64 {
        match subgroup {
            0 => texels as f64 * self.weight,
            lanes => texels.div_ceil(lanes as usize) as f64 * self.weight + 4.0 * texels as f64 * self.broadcast,
        }
    }

    /// Of a dispatch of so many invocations, each of which waits for so many rounds of loads: the device works for all of
    /// them, or, if they are few, mostly waits.
    pub fn dispatch(&self, invocations: f64, rounds: usize, each: f64) -> f64 {
        let alone = self.parallel * (each + rounds as f64 * self.wait);
        (invocations * each).max(alone) + self.parallel * LAUNCH * self.wait
    }
}
