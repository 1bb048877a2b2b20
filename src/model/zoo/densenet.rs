//! `DenseNet`: Huang et al., arXiv 1608.06993, table 1, with bottlenecks and compression ("BC").
//!
//! timm has the same tensors under the same names, but its norms include the ReLU that follows, also the last one. So its
//! `features` is torchvision's after the ReLU, a function there, which has the path `relu` here.

use super::{Architecture, Library};
use crate::graph::{Activation::Relu, Builder, GraphError, NodeId, Op, Pool2d, Window};
use Library::{Timm, Torchvision};

const fn row(name: &'static str, library: Library, build: super::Build) -> Architecture {
    Architecture::new(name, library, "classifier", build)
}

pub const ROWS: &[Architecture] = &[
    row("densenet121", Torchvision, |b, x, c| densenet(b, x, c, Torchvision, 32, [6, 12, 24, 16])),
    row("densenet161", Torchvision, |b, x, c| densenet(b, x, c, Torchvision, 48, [6, 12, 36, 24])),
    row("densenet169", Torchvision, |b, x, c| densenet(b, x, c, Torchvision, 32, [6, 12, 32, 32])),
    row("densenet201", Torchvision, |b, x, c| densenet(b, x, c, Torchvision, 32, [6, 12, 48, 32])),
    row("densenet121", Timm, |b, x, c| densenet(b, x, c, Timm, 32, [6, 12, 24, 16])),
    row("densenet161", Timm, |b, x, c| densenet(b, x, c, Timm, 48, [6, 12, 36, 24])),
    row("densenet169", Timm, |b, x, c| densenet(b, x, c, Timm, 32, [6, 12, 32, 32])),
    row("densenet201", Timm, |b, x, c| densenet(b, x, c, Timm, 32, [6, 12, 48, 32])),
];

const EPS: f32 = 1e-5;

fn densenet(
    b: &mut Builder,
    x: NodeId,
    classes: usize,
    library: Library,
    growth: usize,
    blocks: [usize; 4],
) -> Result<NodeId, GraphError> {
    let x = b.module("features", |b| {
        let x = b.conv("conv0", x, 2 * growth, Window::square(7, 2, 3), 1, false)?;
        let x = norm_relu(b, library, "norm0", "relu0", x)?;
        let mut x = b.layer("pool0", x, Pool2d::max(3, 2, 1, false))?;
        for (block, layers) in (1..).zip(blocks) {
            if block > 1 {
                x = b.module(&format!("transition{}", block - 1), |b| transition(b, library, x))?;
            }
            x = b.module(&format!("denseblock{block}"), |b| {
                for i in 1..=layers {
                    let new = b.module(&format!("denselayer{i}"), |b| dense(b, library, x, growth))?;
                    x = b.concat(&[x, new])?;
                }
                Ok(x)
            })?;
        }
        b.batch_norm("norm5", x, EPS, (library == Timm).then_some(Relu))
    })?;
    let x = match library {
        Torchvision => b.layer("relu", x, Op::Activate(Relu))?,
        _ => x,
    };
    let x = b.global_pool((library == Timm).then_some("global_pool"), x)?;
    b.classifier("classifier", x, classes)
}

/// The new features of one layer. The caller concatenates them to all features before.
fn dense(b: &mut Builder, library: Library, x: NodeId, growth: usize) -> Result<NodeId, GraphError> {
    let x = norm_relu(b, library, "norm1", "relu1", x)?;
    let x = b.conv("conv1", x, 4 * growth, Window::square(1, 1, 0), 1, false)?;
    let x = norm_relu(b, library, "norm2", "relu2", x)?;
    b.conv("conv2", x, growth, Window::square(3, 1, 1), 1, false)
}

/// Halves the channels, the height and the width.
fn transition(b: &mut Builder, library: Library, x: NodeId) -> Result<NodeId, GraphError> {
    let out = b.channels(x) / 2;
    let x = norm_relu(b, library, "norm", "relu", x)?;
    let x = b.conv("conv", x, out, Window::square(1, 1, 0), 1, false)?;
    b.layer("pool", x, Pool2d::average(2, 2, 0))
}

/// A norm and a ReLU: two modules in torchvision, one in timm.
fn norm_relu(b: &mut Builder, library: Library, norm: &str, relu: &str, x: NodeId) -> Result<NodeId, GraphError> {
    if library == Timm {
        return b.batch_norm(norm, x, EPS, Some(Relu));
    }
    let x = b.batch_norm(norm, x, EPS, None)?;
    b.layer(relu, x, Op::Activate(Relu))
}
