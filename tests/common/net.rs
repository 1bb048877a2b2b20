//! A small graph under test, with its inputs.
#![allow(dead_code)]

use gradcam::gpu::Gpu;
use gradcam::graph::{Conv2d, Graph, Linear, NodeId, Op, Shape, Window};
use gradcam::kernels::Profile;
use gradcam::plan::Plan;

use crate::common::{Random, error, every_gpu, features, gpus, macro_tiles, run_cpu, run_gpu};

/// Relative to the largest value, also through a few layers, of which some go Winograd's way: its transforms cancel
/// digits, and alone it is good to 7e-6, see `docs/numerics.md`.
pub const TOLERANCE: f64 = 1e-5;

/// A graph under construction with its inputs.
pub struct Net {
    pub graph: Graph,
    random: Random,
    pub inputs: Vec<(NodeId, Vec<f32>)>,
}

impl Net {
    pub fn new(seed: u64) -> Self {
        Self { graph: Graph::default(), random: Random(seed), inputs: vec![] }
    }

    pub fn features(&mut self, shape: Shape) -> NodeId {
        features(&mut self.graph, &mut self.random, &mut self.inputs, shape)
    }

    pub fn op(&mut self, op: Op, operands: &[NodeId]) -> NodeId {
        self.graph.push(op, operands).unwrap()
    }

    pub fn conv(&mut self, x: NodeId, out: usize, window: Window, groups: usize) -> NodeId {
        let input = self.graph.shape(x)[1];
        let weight = self.random.param(&mut self.graph, &[out, input / groups, window.kernel[0], window.kernel[1]]);
        let bias = Some(self.random.param(&mut self.graph, &[out]));
        self.op(Op::Conv2d(Conv2d { weight, bias, out_channels: out, window, groups }), &[x])
    }

    pub fn linear(&mut self, x: NodeId, out: usize) -> NodeId {
        let [_, c, h, w] = self.graph.shape(x);
        let weight = self.random.param(&mut self.graph, &[out, c * h * w]);
        let bias = Some(self.random.param(&mut self.graph, &[out]));
        self.op(Op::Linear(Linear { weight, bias, out_features: out }), &[x])
    }

    pub fn scale_shift(&mut self, x: NodeId) -> NodeId {
        let channels = [self.graph.shape(x)[1]];
        let scale = self.random.param(&mut self.graph, &channels);
        let shift = Some(self.random.param(&mut self.graph, &channels));
        self.op(Op::ScaleShift { scale, shift }, &[x])
    }

    pub fn unpack(&mut self, x: NodeId) -> NodeId {
        self.op(Op::Unpack, &[x])
    }

    /// Shaders of the plan for a profile.
    pub fn shaders(&self, profile: &Profile, outputs: &[NodeId]) -> Vec<&'static str> {
        Plan::new(&self.graph, profile, outputs).dispatches.iter().map(|d| d.shader).collect()
    }

    /// Compares with the CPU truth in every variant.
    pub fn check(&self, name: &str, outputs: &[NodeId]) {
        self.check_on(every_gpu().into_iter().chain(gpus(macro_tiles().take(1))), name, outputs);
    }

    /// Compares with the CPU truth on these devices.
    pub fn check_on(&self, gpus: impl IntoIterator<Item = (String, Gpu)>, name: &str, outputs: &[NodeId]) {
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
