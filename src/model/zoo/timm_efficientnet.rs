//! Networks of inverted residuals with the names of timm.
//!
//! - MobileNetV2: Sandler et al., arXiv 1801.04381, table 2.
//! - MobileNetV3: Howard et al., arXiv 1905.02244, tables 1 and 2.
//! - EfficientNet: Tan & Le, arXiv 1905.11946, table 1, scaled by width and depth.
//! - EfficientNet-Lite: for small devices, with ReLU6 and without squeeze-and-excitation.
//!
//! `tf_` networks were trained in TensorFlow. If its padding is odd, the extra zero is at the end.

use super::divisible::divisible;
use super::mobilenet_v3::{Bneck, LARGE, SMALL};
use super::squeeze_excitation::squeeze_excitation;
use super::{Architecture, Library};
use crate::graph::Activation::{self, HardSigmoid, HardSwish, Relu, Relu6, Sigmoid, Silu};
use crate::graph::{Builder, GraphError, NodeId, Op, Window};

const fn row(name: &'static str, size: usize, build: super::Build) -> Architecture {
    Architecture { default_layer: "bn2", size, ..Architecture::new(name, Library::Timm, "classifier", build) }
}

const fn pooled_first(row: Architecture) -> Architecture {
    Architecture { default_layer: "blocks", ..row }
}

pub const ROWS: &[Architecture] = &[
    row("mobilenetv2_100", 224, |b, x, c| efficientnet(b, x, c, &MOBILENET_V2, 1.0, 1.0)),
    pooled_first(row("mobilenetv3_small_100", 224, |b, x, c| mobilenet_v3(b, x, c, PYTORCH, &SMALL, 1024))),
    pooled_first(row("mobilenetv3_large_100", 224, |b, x, c| mobilenet_v3(b, x, c, PYTORCH, &LARGE, 1280))),
    pooled_first(row("tf_mobilenetv3_small_100", 224, |b, x, c| mobilenet_v3(b, x, c, TENSORFLOW, &SMALL, 1024))),
    pooled_first(row("tf_mobilenetv3_large_100", 224, |b, x, c| mobilenet_v3(b, x, c, TENSORFLOW, &LARGE, 1280))),
    row("efficientnet_b0", 224, |b, x, c| efficientnet(b, x, c, &EFFICIENTNET, 1.0, 1.0)),
    row("efficientnet_b1", 240, |b, x, c| efficientnet(b, x, c, &EFFICIENTNET, 1.0, 1.1)),
    row("efficientnet_b2", 256, |b, x, c| efficientnet(b, x, c, &EFFICIENTNET, 1.1, 1.2)),
    row("efficientnet_b3", 288, |b, x, c| efficientnet(b, x, c, &EFFICIENTNET, 1.2, 1.4)),
    row("efficientnet_b4", 320, |b, x, c| efficientnet(b, x, c, &EFFICIENTNET, 1.4, 1.8)),
    row("tf_efficientnet_b0", 224, |b, x, c| efficientnet(b, x, c, &TF_EFFICIENTNET, 1.0, 1.0)),
    row("tf_efficientnet_b1", 240, |b, x, c| efficientnet(b, x, c, &TF_EFFICIENTNET, 1.0, 1.1)),
    row("tf_efficientnet_b2", 260, |b, x, c| efficientnet(b, x, c, &TF_EFFICIENTNET, 1.1, 1.2)),
    row("tf_efficientnet_b3", 300, |b, x, c| efficientnet(b, x, c, &TF_EFFICIENTNET, 1.2, 1.4)),
    row("tf_efficientnet_b4", 380, |b, x, c| efficientnet(b, x, c, &TF_EFFICIENTNET, 1.4, 1.8)),
    row("efficientnet_lite0", 224, |b, x, c| efficientnet(b, x, c, &LITE_PYTORCH, 1.0, 1.0)),
    row("tf_efficientnet_lite0", 224, |b, x, c| efficientnet(b, x, c, &LITE, 1.0, 1.0)),
    row("efficientnet_lite1", 240, |b, x, c| efficientnet(b, x, c, &LITE_PYTORCH, 1.0, 1.1)),
    row("tf_efficientnet_lite1", 240, |b, x, c| efficientnet(b, x, c, &LITE, 1.0, 1.1)),
    row("efficientnet_lite2", 260, |b, x, c| efficientnet(b, x, c, &LITE_PYTORCH, 1.1, 1.2)),
    row("tf_efficientnet_lite2", 260, |b, x, c| efficientnet(b, x, c, &LITE, 1.1, 1.2)),
    row("efficientnet_lite3", 300, |b, x, c| efficientnet(b, x, c, &LITE_PYTORCH, 1.2, 1.4)),
    row("tf_efficientnet_lite3", 300, |b, x, c| efficientnet(b, x, c, &LITE, 1.2, 1.4)),
    row("efficientnet_lite4", 380, |b, x, c| efficientnet(b, x, c, &LITE_PYTORCH, 1.4, 1.8)),
    row("tf_efficientnet_lite4", 380, |b, x, c| efficientnet(b, x, c, &LITE, 1.4, 1.8)),
];

/// Differences between the frameworks that the networks were trained in.
#[derive(Clone, Copy)]
struct Framework {
    /// Pads for `ceil(in / stride)` outputs instead of by half the kernel.
    same: bool,
    /// Epsilon of the batch norms.
    eps: f32,
}
const PYTORCH: Framework = Framework { same: false, eps: 1e-5 };
const TENSORFLOW: Framework = Framework { same: true, eps: 1e-3 };

struct Family {
    framework: Framework,
    /// Repeats, kernel, stride of the first block, expansion, output channels.
    stages: [[usize; 5]; 7],
    activation: Activation,
    excitation: bool,
    /// Scaling does not change the stem, the head, and the depth of the first and last stage.
    fixed_ends: bool,
}

const EFFICIENTNET: Family = Family {
    framework: PYTORCH,
    stages: [
        [1, 3, 1, 1, 16],
        [2, 3, 2, 6, 24],
        [2, 5, 2, 6, 40],
        [3, 3, 2, 6, 80],
        [3, 5, 1, 6, 112],
        [4, 5, 2, 6, 192],
        [1, 3, 1, 6, 320],
    ],
    activation: Silu,
    excitation: true,
    fixed_ends: false,
};
const TF_EFFICIENTNET: Family = Family { framework: TENSORFLOW, ..EFFICIENTNET };
const LITE: Family = Family { activation: Relu6, excitation: false, fixed_ends: true, ..TF_EFFICIENTNET };
const LITE_PYTORCH: Family = Family { framework: PYTORCH, ..LITE };
const MOBILENET_V2: Family = Family {
    stages: [
        [1, 3, 1, 1, 16],
        [2, 3, 2, 6, 24],
        [3, 3, 2, 6, 32],
        [4, 3, 2, 6, 64],
        [3, 3, 1, 6, 96],
        [3, 3, 2, 6, 160],
        [1, 3, 1, 6, 320],
    ],
    activation: Relu6,
    excitation: false,
    ..EFFICIENTNET
};

fn efficientnet(
    b: &mut Builder,
    x: NodeId,
    classes: usize,
    family: &Family,
    width: f64,
    depth: f64,
) -> Result<NodeId, GraphError> {
    let &Family { framework, activation, fixed_ends, .. } = family;
    let scaled = |channels: usize| divisible(channels as f64 * width);
    let [stem, head] = [32, 1280].map(|channels| if fixed_ends { channels } else { scaled(channels) });
    let x = conv(b, framework, "conv_stem", x, stem, [3, 2, 1])?;
    let mut x = b.batch_norm("bn1", x, framework.eps, Some(activation))?;
    x = b.module("blocks", |b| {
        for (stage, [repeats, kernel, stride, expansion, out]) in family.stages.into_iter().enumerate() {
            let fixed = fixed_ends && (stage == 0 || stage == 6);
            let repeats = if fixed { repeats } else { (repeats as f64 * depth).ceil() as usize };
            x = b.module(&stage.to_string(), |b| {
                for i in 0..repeats {
                    let input = b.channels(x);
                    let block = Block {
                        kernel,
                        hidden: input * expansion,
                        out: scaled(out),
                        excitation: family.excitation.then_some((input / 4, activation, Sigmoid)),
                        activation,
                        stride: if i == 0 { stride } else { 1 },
                    };
                    x = b.module(&i.to_string(), |b| residual(b, x, framework, block))?;
                }
                Ok(x)
            })?;
        }
        Ok(x)
    })?;
    let x = conv(b, framework, "conv_head", x, head, [1, 1, 1])?;
    let x = b.batch_norm("bn2", x, framework.eps, Some(activation))?;
    let x = b.global_pool(Some("global_pool"), x)?;
    b.classifier("classifier", x, classes)
}

/// In timm a stage is the blocks of equal output channels, and the convolution after the blocks is the last stage.
fn mobilenet_v3(
    b: &mut Builder,
    x: NodeId,
    classes: usize,
    framework: Framework,
    rows: &[Bneck],
    head: usize,
) -> Result<NodeId, GraphError> {
    let x = conv(b, framework, "conv_stem", x, 16, [3, 2, 1])?;
    let mut x = b.batch_norm("bn1", x, framework.eps, Some(HardSwish))?;
    x = b.module("blocks", |b| {
        let stages = rows.chunk_by(|a, b| a.2 == b.2);
        let last = stages.clone().count().to_string();
        for (stage, rows) in stages.enumerate() {
            x = b.module(&stage.to_string(), |b| {
                for (i, &Bneck(kernel, hidden, out, excitation, activation, stride)) in rows.iter().enumerate() {
                    let squeezed = divisible((hidden / 4) as f64);
                    let excitation = excitation.then_some((squeezed, Relu, HardSigmoid));
                    let block = Block { kernel, hidden, out, excitation, activation, stride };
                    x = b.module(&i.to_string(), |b| residual(b, x, framework, block))?;
                }
                Ok(x)
            })?;
        }
        b.module(&last, |b| {
            b.module("0", |b| {
                let x = conv(b, framework, "conv", x, 6 * b.channels(x), [1, 1, 1])?;
                b.batch_norm("bn1", x, framework.eps, Some(HardSwish))
            })
        })
    })?;
    let x = b.global_pool(Some("global_pool"), x)?;
    let x = b.conv("conv_head", x, head, Window::square(1, 1, 0), 1, true)?;
    let x = b.layer("act2", x, Op::Activate(HardSwish))?;
    b.classifier("classifier", x, classes)
}

/// An inverted residual.
struct Block {
    kernel: usize,
    hidden: usize,
    out: usize,
    /// Number of squeezed channels, activation after the reduction, activation of the gate.
    excitation: Option<(usize, Activation, Activation)>,
    activation: Activation,
    stride: usize,
}

/// Without expansion there is no first 1×1 convolution, and the modules after it have other names.
fn residual(b: &mut Builder, x: NodeId, framework: Framework, block: Block) -> Result<NodeId, GraphError> {
    let Block { kernel, hidden, out, excitation, activation, stride } = block;
    let input = b.channels(x);
    let expands = hidden != input;
    let names = if expands { ["bn2", "conv_pwl", "bn3"] } else { ["bn1", "conv_pw", "bn2"] };
    let mut y = x;
    if expands {
        y = conv(b, framework, "conv_pw", y, hidden, [1, 1, 1])?;
        y = b.batch_norm("bn1", y, framework.eps, Some(activation))?;
    }
    y = conv(b, framework, "conv_dw", y, hidden, [kernel, stride, hidden])?;
    y = b.batch_norm(names[0], y, framework.eps, Some(activation))?;
    if let Some((squeezed, inner, gate)) = excitation {
        let names = ["conv_reduce", "conv_expand"];
        y = b.module("se", |b| squeeze_excitation(b, y, names, squeezed, inner, gate))?;
    }
    y = conv(b, framework, names[1], y, out, [1, 1, 1])?;
    y = b.batch_norm(names[2], y, framework.eps, None)?;
    if stride == 1 && input == out { b.op(Op::Add, &[x, y]) } else { Ok(y) }
}

fn conv(
    b: &mut Builder,
    framework: Framework,
    name: &str,
    x: NodeId,
    out: usize,
    [kernel, stride, groups]: [usize; 3],
) -> Result<NodeId, GraphError> {
    let [_, _, h, w] = b.graph.shape(x);
    let window =
        if framework.same { Window::same(kernel, stride, [h, w]) } else { Window::square(kernel, stride, kernel / 2) };
    b.conv(name, x, out, window, groups, false)
}
