//! ShuffleNetV2: Ma et al., arXiv 1807.11164, table 5 and figure 3 (c, d).

use super::{Architecture, Library};
use crate::graph::{Activation::Relu, Builder, GraphError, NodeId, Op, Pool2d, Window};

const fn row(name: &'static str, build: super::Build) -> Architecture {
    Architecture { default_layer: "conv5", ..Architecture::new(name, Library::Torchvision, "fc", build) }
}

pub const ROWS: &[Architecture] = &[
    row("shufflenet_v2_x0_5", |b, x, c| shufflenet(b, x, c, [48, 96, 192], 1024)),
    row("shufflenet_v2_x1_0", |b, x, c| shufflenet(b, x, c, [116, 232, 464], 1024)),
    row("shufflenet_v2_x1_5", |b, x, c| shufflenet(b, x, c, [176, 352, 704], 1024)),
    row("shufflenet_v2_x2_0", |b, x, c| shufflenet(b, x, c, [244, 488, 976], 2048)),
];

const REPEATS: [usize; 3] = [4, 8, 4];
const EPS: f32 = 1e-5;

fn shufflenet(
    b: &mut Builder,
    x: NodeId,
    classes: usize,
    stages: [usize; 3],
    last: usize,
) -> Result<NodeId, GraphError> {
    let x = b.module("conv1", |b| conv(b, ["0", "1", "2"], x, 24, Window::square(3, 2, 1)))?;
    let mut x = b.layer("maxpool", x, Pool2d::max(3, 2, 1, false))?;
    for (stage, (out, repeats)) in stages.into_iter().zip(REPEATS).enumerate() {
        x = b.module(&format!("stage{}", stage + 2), |b| {
            for i in 0..repeats {
                x = b.module(&i.to_string(), |b| if i == 0 { halving(b, x, out / 2) } else { basic(b, x) })?;
            }
            Ok(x)
        })?;
    }
    let x = b.module("conv5", |b| conv(b, ["0", "1", "2"], x, last, Window::square(1, 1, 0)))?;
    let x = b.global_pool(None, x)?;
    b.classifier("fc", x, classes)
}

/// Passes one half of the channels unchanged, transforms the other half, and shuffles both.
fn basic(b: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let half = b.channels(x) / 2;
    let kept = b.op(Op::Slice { start: 0, channels: half }, &[x])?;
    let other = b.op(Op::Slice { start: half, channels: half }, &[x])?;
    let other = b.module("branch2", |b| branch(b, other, half, 1))?;
    let joined = b.concat(&[kept, other])?;
    b.op(Op::Shuffle { groups: 2 }, &[joined])
}

/// Halves the resolution. Both halves of the output are computed from all channels.
fn halving(b: &mut Builder, x: NodeId, half: usize) -> Result<NodeId, GraphError> {
    let near = b.module("branch1", |b| {
        let y = depthwise(b, ["0", "1"], x, 2)?;
        conv(b, ["2", "3", "4"], y, half, Window::square(1, 1, 0))
    })?;
    let far = b.module("branch2", |b| branch(b, x, half, 2))?;
    let joined = b.concat(&[near, far])?;
    b.op(Op::Shuffle { groups: 2 }, &[joined])
}

fn branch(b: &mut Builder, x: NodeId, width: usize, stride: usize) -> Result<NodeId, GraphError> {
    let x = conv(b, ["0", "1", "2"], x, width, Window::square(1, 1, 0))?;
    let x = depthwise(b, ["3", "4"], x, stride)?;
    conv(b, ["5", "6", "7"], x, width, Window::square(1, 1, 0))
}

/// A convolution, its batch norm and a ReLU.
fn conv(b: &mut Builder, names: [&str; 3], x: NodeId, out: usize, window: Window) -> Result<NodeId, GraphError> {
    let x = b.conv(names[0], x, out, window, 1, false)?;
    let x = b.batch_norm(names[1], x, EPS, None)?;
    b.layer(names[2], x, Op::Activate(Relu))
}

/// A depthwise 3×3 convolution and its batch norm.
fn depthwise(b: &mut Builder, names: [&str; 2], x: NodeId, stride: usize) -> Result<NodeId, GraphError> {
    let channels = b.channels(x);
    let x = b.conv(names[0], x, channels, Window::square(3, stride, 1), channels, false)?;
    b.batch_norm(names[1], x, EPS, None)
}
