//! EfficientNet: Tan & Le, arXiv 1905.11946, table 1, scaled by width and depth. EfficientNetV2: Tan & Le, arXiv
//! 2104.00298, table 4. Names as in torchvision.

use super::conv_norm::conv_norm;
use super::divisible::divisible;
use super::squeeze_excitation::squeeze_excitation;
use super::{Architecture, Library};
use crate::graph::Activation::{Sigmoid, Silu};
use crate::graph::{Builder, GraphError, NodeId, Op, Window};

const fn row(name: &'static str, size: usize, build: super::Build) -> Architecture {
    Architecture { size, ..Architecture::new(name, Library::Torchvision, "classifier.1", build) }
}

pub const ROWS: &[Architecture] = &[
    row("efficientnet_b0", 224, |b, x, c| v1(b, x, c, 1.0, 1.0, 1e-5)),
    row("efficientnet_b1", 240, |b, x, c| v1(b, x, c, 1.0, 1.1, 1e-5)),
    row("efficientnet_b2", 288, |b, x, c| v1(b, x, c, 1.1, 1.2, 1e-5)),
    row("efficientnet_b3", 300, |b, x, c| v1(b, x, c, 1.2, 1.4, 1e-5)),
    row("efficientnet_b4", 380, |b, x, c| v1(b, x, c, 1.4, 1.8, 1e-5)),
    row("efficientnet_b5", 456, |b, x, c| v1(b, x, c, 1.6, 2.2, 1e-3)),
    row("efficientnet_b6", 528, |b, x, c| v1(b, x, c, 1.8, 2.6, 1e-3)),
    row("efficientnet_b7", 600, |b, x, c| v1(b, x, c, 2.0, 3.1, 1e-3)),
    row("efficientnet_v2_s", 384, |b, x, c| v2(b, x, c, 24, &S)),
    row("efficientnet_v2_m", 480, |b, x, c| v2(b, x, c, 24, &M)),
    row("efficientnet_v2_l", 480, |b, x, c| v2(b, x, c, 32, &L)),
];

#[derive(Clone, Copy)]
enum Block {
    /// 1×1 convolution, depthwise convolution, squeeze-and-excitation, 1×1 convolution.
    MbConv,
    /// A convolution, then a 1×1 convolution if the first one expands.
    Fused,
}
use Block::{Fused, MbConv};

/// Block, expansion, kernel, stride of the first block, output channels, repeats.
#[derive(Clone, Copy)]
struct Stage(Block, usize, usize, usize, usize, usize);

const B0: [Stage; 7] = [
    Stage(MbConv, 1, 3, 1, 16, 1),
    Stage(MbConv, 6, 3, 2, 24, 2),
    Stage(MbConv, 6, 5, 2, 40, 2),
    Stage(MbConv, 6, 3, 2, 80, 3),
    Stage(MbConv, 6, 5, 1, 112, 3),
    Stage(MbConv, 6, 5, 2, 192, 4),
    Stage(MbConv, 6, 3, 1, 320, 1),
];
const S: [Stage; 6] = [
    Stage(Fused, 1, 3, 1, 24, 2),
    Stage(Fused, 4, 3, 2, 48, 4),
    Stage(Fused, 4, 3, 2, 64, 4),
    Stage(MbConv, 4, 3, 2, 128, 6),
    Stage(MbConv, 6, 3, 1, 160, 9),
    Stage(MbConv, 6, 3, 2, 256, 15),
];
const M: [Stage; 7] = [
    Stage(Fused, 1, 3, 1, 24, 3),
    Stage(Fused, 4, 3, 2, 48, 5),
    Stage(Fused, 4, 3, 2, 80, 5),
    Stage(MbConv, 4, 3, 2, 160, 7),
    Stage(MbConv, 6, 3, 1, 176, 14),
    Stage(MbConv, 6, 3, 2, 304, 18),
    Stage(MbConv, 6, 3, 1, 512, 5),
];
const L: [Stage; 7] = [
    Stage(Fused, 1, 3, 1, 32, 4),
    Stage(Fused, 4, 3, 2, 64, 7),
    Stage(Fused, 4, 3, 2, 96, 7),
    Stage(MbConv, 4, 3, 2, 192, 10),
    Stage(MbConv, 6, 3, 1, 224, 19),
    Stage(MbConv, 6, 3, 2, 384, 25),
    Stage(MbConv, 6, 3, 1, 640, 7),
];

fn v1(b: &mut Builder, x: NodeId, classes: usize, width: f64, depth: f64, eps: f32) -> Result<NodeId, GraphError> {
    let scaled = |channels: usize| divisible(channels as f64 * width);
    let stages = B0.map(|Stage(block, expansion, kernel, stride, out, repeats)| {
        Stage(block, expansion, kernel, stride, scaled(out), (repeats as f64 * depth).ceil() as usize)
    });
    efficientnet(b, x, classes, [scaled(32), 4 * scaled(320)], &stages, eps)
}

fn v2(b: &mut Builder, x: NodeId, classes: usize, stem: usize, stages: &[Stage]) -> Result<NodeId, GraphError> {
    efficientnet(b, x, classes, [stem, 1280], stages, 1e-3)
}

/// A network whose first and last convolution have `stem` and `head` output channels.
fn efficientnet(
    b: &mut Builder,
    x: NodeId,
    classes: usize,
    [stem, head]: [usize; 2],
    stages: &[Stage],
    eps: f32,
) -> Result<NodeId, GraphError> {
    let x = b.module("features", |b| {
        let mut x = conv_norm(b, "0", x, stem, Window::square(3, 2, 1), 1, (eps, Some(Silu)))?;
        for (stage, &Stage(kind, expansion, kernel, stride, out, repeats)) in stages.iter().enumerate() {
            x = b.module(&(stage + 1).to_string(), |b| {
                for i in 0..repeats {
                    let window = Window::square(kernel, if i == 0 { stride } else { 1 }, kernel / 2);
                    x = b.module(&i.to_string(), |b| residual(b, x, kind, expansion, window, out, eps))?;
                }
                Ok(x)
            })?;
        }
        let last = (stages.len() + 1).to_string();
        conv_norm(b, &last, x, head, Window::square(1, 1, 0), 1, (eps, Some(Silu)))
    })?;
    let x = b.global_pool(Some("avgpool"), x)?;
    b.head("classifier", x, |b| b.linear("1", x, classes, true))
}

fn residual(
    b: &mut Builder,
    x: NodeId,
    kind: Block,
    expansion: usize,
    window: Window,
    out: usize,
    eps: f32,
) -> Result<NodeId, GraphError> {
    let y = b.module("block", |b| match kind {
        MbConv => mb_conv(b, x, expansion, window, out, eps),
        Fused => fused(b, x, expansion, window, out, eps),
    })?;
    if window.stride == [1, 1] && b.channels(x) == out { b.op(Op::Add, &[x, y]) } else { Ok(y) }
}

/// Without expansion there is no first 1×1 convolution, and the modules after it are numbered one lower.
fn mb_conv(
    b: &mut Builder,
    x: NodeId,
    expansion: usize,
    window: Window,
    out: usize,
    eps: f32,
) -> Result<NodeId, GraphError> {
    let input = b.channels(x);
    let hidden = input * expansion;
    let mut y = x;
    if expansion > 1 {
        y = conv_norm(b, "0", y, hidden, Window::square(1, 1, 0), 1, (eps, Some(Silu)))?;
    }
    let names = if expansion > 1 { ["1", "2", "3"] } else { ["0", "1", "2"] };
    y = conv_norm(b, names[0], y, hidden, window, hidden, (eps, Some(Silu)))?;
    y = b.module(names[1], |b| squeeze_excitation(b, y, ["fc1", "fc2"], input / 4, Silu, Sigmoid))?;
    conv_norm(b, names[2], y, out, Window::square(1, 1, 0), 1, (eps, None))
}

fn fused(
    b: &mut Builder,
    x: NodeId,
    expansion: usize,
    window: Window,
    out: usize,
    eps: f32,
) -> Result<NodeId, GraphError> {
    if expansion == 1 {
        return conv_norm(b, "0", x, out, window, 1, (eps, Some(Silu)));
    }
    let y = conv_norm(b, "0", x, b.channels(x) * expansion, window, 1, (eps, Some(Silu)))?;
    conv_norm(b, "1", y, out, Window::square(1, 1, 0), 1, (eps, None))
}
