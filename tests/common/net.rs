//! A small graph under test, with its inputs.
#![allow(dead_code)]

use gradcam::gpu::Gpu;
use gradcam::graph::NodeId;
use gradcam::kernels::Profile;
use gradcam::plan::Plan;
pub use gradcam::verify::net::Net;

use crate::common::{error, every_gpu, gpus, macro_tiles, run_cpu, run_gpu};

/// Relative to the largest value, also after a few layers. Some of these use Winograd, whose transforms lose digits
/// by cancellation: one such layer is accurate to 7e-6, see `docs/numerics.md`.
pub const TOLERANCE: f64 = 1e-5;

/// What tests do with a graph.
pub trait Check {
    /// The shaders of the graph's plan for a profile.
    fn shaders(&self, profile: &Profile, outputs: &[NodeId]) -> Vec<&'static str>;
    /// Compares with the CPU reference in every variant.
    fn check(&self, name: &str, outputs: &[NodeId]);
    /// Compares with the CPU reference on these devices.
    fn check_on(&self, gpus: impl IntoIterator<Item = (String, Gpu)>, name: &str, outputs: &[NodeId]);
}

impl Check for Net {
    fn shaders(&self, profile: &Profile, outputs: &[NodeId]) -> Vec<&'static str> {
        Plan::new(&self.graph, profile, outputs).dispatches.iter().map(|d| d.shader).collect()
    }

    fn check(&self, name: &str, outputs: &[NodeId]) {
        self.check_on(every_gpu().into_iter().chain(gpus(macro_tiles().take(1))), name, outputs);
    }

    fn check_on(&self, gpus: impl IntoIterator<Item = (String, Gpu)>, name: &str, outputs: &[NodeId]) {
        let truth = run_cpu(&self.graph, &self.inputs, outputs);
        for (variant, gpu) in gpus {
            let (found, _) = run_gpu(&gpu, &self.graph, &self.inputs, outputs);
            for (i, (found, truth)) in found.iter().zip(&truth).enumerate() {
                let error = error(found, truth);
                assert!(error <= TOLERANCE, "{name}, output {i} ({variant}): error {error:e}");
            }
        }
    }
}
