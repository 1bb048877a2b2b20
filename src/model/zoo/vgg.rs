//! VGG: Simonyan & Zisserman, arXiv 1409.1556, table 1, without and with batch norms.
//!
//! timm applies the first two linear layers as convolutions and pools after them. Its logits therefore differ unless
//! the input is 224 × 224.

use super::{Architecture, Library};
use crate::graph::{Activation::Relu, Builder, GraphError, NodeId, Op, Pool2d, Window};

const fn row(name: &'static str, build: super::Build) -> Architecture {
    Architecture::new(name, Library::Torchvision, "classifier.6", build)
}

const fn timm(name: &'static str, build: super::Build) -> Architecture {
    Architecture::new(name, Library::Timm, "head.fc", build)
}

pub const ROWS: &[Architecture] = &[
    row("vgg11", |b, x, c| vgg(b, x, c, A, false)),
    row("vgg11_bn", |b, x, c| vgg(b, x, c, A, true)),
    row("vgg13", |b, x, c| vgg(b, x, c, B, false)),
    row("vgg13_bn", |b, x, c| vgg(b, x, c, B, true)),
    row("vgg16", |b, x, c| vgg(b, x, c, D, false)),
    row("vgg16_bn", |b, x, c| vgg(b, x, c, D, true)),
    row("vgg19", |b, x, c| vgg(b, x, c, E, false)),
    row("vgg19_bn", |b, x, c| vgg(b, x, c, E, true)),
    timm("vgg11", |b, x, c| timm_vgg(b, x, c, A, false)),
    timm("vgg11_bn", |b, x, c| timm_vgg(b, x, c, A, true)),
    timm("vgg13", |b, x, c| timm_vgg(b, x, c, B, false)),
    timm("vgg13_bn", |b, x, c| timm_vgg(b, x, c, B, true)),
    timm("vgg16", |b, x, c| timm_vgg(b, x, c, D, false)),
    timm("vgg16_bn", |b, x, c| timm_vgg(b, x, c, D, true)),
    timm("vgg19", |b, x, c| timm_vgg(b, x, c, E, false)),
    timm("vgg19_bn", |b, x, c| timm_vgg(b, x, c, E, true)),
];

/// Number of convolutions of each stage, by the paper's letters.
type Stages = [usize; 5];
const A: Stages = [1, 1, 2, 2, 2];
const B: Stages = [2, 2, 2, 2, 2];
const D: Stages = [2, 2, 3, 3, 3];
const E: Stages = [2, 2, 4, 4, 4];
const CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];
const EPS: f32 = 1e-5;

fn vgg(b: &mut Builder, x: NodeId, classes: usize, stages: Stages, norm: bool) -> Result<NodeId, GraphError> {
    let x = features(b, x, stages, norm)?;
    let x = b.layer("avgpool", x, Op::AdaptivePool { to: [7, 7] })?;
    b.head("classifier", x, |b| {
        let x = b.linear("0", x, 4096, true)?;
        let x = b.layer("1", x, Op::Activate(Relu))?;
        let x = b.linear("3", x, 4096, true)?;
        let x = b.layer("4", x, Op::Activate(Relu))?;
        b.linear("6", x, classes, true)
    })
}

fn timm_vgg(b: &mut Builder, x: NodeId, classes: usize, stages: Stages, norm: bool) -> Result<NodeId, GraphError> {
    let x = features(b, x, stages, norm)?;
    let x = b.module("pre_logits", |b| {
        let mut x = x;
        let [_, _, h, w] = b.graph.shape(x);
        if h < 7 || w < 7 {
            x = b.op(Op::AdaptivePool { to: [h.max(7), w.max(7)] }, &[x])?;
        }
        let x = b.conv("fc1", x, 4096, Window::square(7, 1, 0), 1, true)?;
        let x = b.layer("act1", x, Op::Activate(Relu))?;
        let x = b.conv("fc2", x, 4096, Window::square(1, 1, 0), 1, true)?;
        b.layer("act2", x, Op::Activate(Relu))
    })?;
    b.module("head", |b| {
        let x = b.global_pool(Some("global_pool"), x)?;
        b.classifier("fc", x, classes)
    })
}

fn features(b: &mut Builder, mut x: NodeId, stages: Stages, norm: bool) -> Result<NodeId, GraphError> {
    let mut numbers = 0..;
    let mut name = || numbers.next().map(|i: usize| i.to_string()).unwrap_or_default();
    b.module("features", |b| {
        for (out, convs) in CHANNELS.into_iter().zip(stages) {
            for _ in 0..convs {
                x = b.conv(&name(), x, out, Window::square(3, 1, 1), 1, true)?;
                if norm {
                    x = b.batch_norm(&name(), x, EPS, None)?;
                }
                x = b.layer(&name(), x, Op::Activate(Relu))?;
            }
            x = b.layer(&name(), x, Pool2d::max(2, 2, 0, false))?;
        }
        Ok(x)
    })
}
