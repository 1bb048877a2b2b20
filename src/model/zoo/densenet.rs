//! `DenseNet`: Huang et al., arXiv 1608.06993, table 1, with bottlenecks and compression ("BC").
//!
//! timm has the same tensors under the same names, but its norms include the ReLU that follows. Its `features` is
//! therefore this network's `features` after the ReLU.

use super::{Architecture, Library};
use crate::graph::{Activation::Relu, Builder, GraphError, NodeId, Op, Pool2d, Window};

const fn row(name: &'static str, build: super::Build) -> Architecture {
    Architecture::new(name, Library::Torchvision, "classifier", build)
}

pub const ROWS: &[Architecture] = &[
    row("densenet121", |b, x, c| densenet(b, x, c, 32, [6, 12, 24, 16])),
    row("densenet161", |b, x, c| densenet(b, x, c, 48, [6, 12, 36, 24])),
    row("densenet169", |b, x, c| densenet(b, x, c, 32, [6, 12, 32, 32])),
    row("densenet201", |b, x, c| densenet(b, x, c, 32, [6, 12, 48, 32])),
];

const EPS: f32 = 1e-5;

fn densenet(
    b: &mut Builder,
    x: NodeId,
    classes: usize,
    growth: usize,
    blocks: [usize; 4],
) -> Result<NodeId, GraphError> {
    let x = b.module("features", |b| {
        let x = b.conv("conv0", x, 2 * growth, Window::square(7, 2, 3), 1, false)?;
        let x = norm_relu(b, "norm0", "relu0", x)?;
        let mut x = b.layer("pool0", x, Pool2d::max(3, 2, 1, false))?;
        for (block, layers) in (1..).zip(blocks) {
            if block > 1 {
                x = b.module(&format!("transition{}", block - 1), |b| transition(b, x))?;
            }
            x = b.module(&format!("denseblock{block}"), |b| {
                for i in 1..=layers {
                    let new = b.module(&format!("denselayer{i}"), |b| dense(b, x, growth))?;
                    x = b.concat(&[x, new])?;
                }
                Ok(x)
            })?;
        }
        b.batch_norm("norm5", x, EPS, None)
    })?;
    let x = b.op(Op::Activate(Relu), &[x])?;
    let x = b.global_pool(None, x)?;
    b.classifier("classifier", x, classes)
}

/// The new features of one layer. The caller concatenates them to all features before.
fn dense(b: &mut Builder, x: NodeId, growth: usize) -> Result<NodeId, GraphError> {
    let x = norm_relu(b, "norm1", "relu1", x)?;
    let x = b.conv("conv1", x, 4 * growth, Window::square(1, 1, 0), 1, false)?;
    let x = norm_relu(b, "norm2", "relu2", x)?;
    b.conv("conv2", x, growth, Window::square(3, 1, 1), 1, false)
}

/// Halves the channels, the height and the width.
fn transition(b: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let out = b.channels(x) / 2;
    let x = norm_relu(b, "norm", "relu", x)?;
    let x = b.conv("conv", x, out, Window::square(1, 1, 0), 1, false)?;
    b.layer("pool", x, Pool2d::average(2, 2, 0))
}

fn norm_relu(b: &mut Builder, norm: &str, relu: &str, x: NodeId) -> Result<NodeId, GraphError> {
    let x = b.batch_norm(norm, x, EPS, None)?;
    b.layer(relu, x, Op::Activate(Relu))
}
