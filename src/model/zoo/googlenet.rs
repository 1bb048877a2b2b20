//! `GoogLeNet`: Szegedy et al., arXiv 1409.4842, table 1. As in torchvision, it has batch norms, and 3×3 convolutions
//! where the paper has 5×5.
//!
//! The auxiliary classifiers are left out: they serve training only. torchvision's own weights expect an input
//! normalised with mean and standard deviation 0.5 (`transform_input`).

use super::{Architecture, Library};
use crate::graph::{Activation::Relu, Builder, GraphError, NodeId, Op, Pool2d, Window};

pub const ROWS: &[Architecture] = &[Architecture {
    default_layer: "inception5b",
    ignored: &["aux1.", "aux2."],
    ..Architecture::new("googlenet", Library::Torchvision, "fc", googlenet)
}];

const EPS: f32 = 1e-3;

fn googlenet(b: &mut Builder, x: NodeId, classes: usize) -> Result<NodeId, GraphError> {
    let x = basic_conv(b, "conv1", x, 64, Window::square(7, 2, 3))?;
    let x = b.layer("maxpool1", x, Pool2d::max(3, 2, 0, true))?;
    let x = conv(b, "conv2", x, 64, 1)?;
    let x = conv(b, "conv3", x, 192, 3)?;
    let x = b.layer("maxpool2", x, Pool2d::max(3, 2, 0, true))?;
    let x = inception(b, "inception3a", x, [64, 96, 128, 16, 32, 32])?;
    let x = inception(b, "inception3b", x, [128, 128, 192, 32, 96, 64])?;
    let x = b.layer("maxpool3", x, Pool2d::max(3, 2, 0, true))?;
    let x = inception(b, "inception4a", x, [192, 96, 208, 16, 48, 64])?;
    let x = inception(b, "inception4b", x, [160, 112, 224, 24, 64, 64])?;
    let x = inception(b, "inception4c", x, [128, 128, 256, 24, 64, 64])?;
    let x = inception(b, "inception4d", x, [112, 144, 288, 32, 64, 64])?;
    let x = inception(b, "inception4e", x, [256, 160, 320, 32, 128, 128])?;
    let x = b.layer("maxpool4", x, Pool2d::max(2, 2, 0, true))?;
    let x = inception(b, "inception5a", x, [256, 160, 320, 32, 128, 128])?;
    let x = inception(b, "inception5b", x, [384, 192, 384, 48, 128, 128])?;
    let x = b.global_pool(Some("avgpool"), x)?;
    b.classifier("fc", x, classes)
}

/// Four branches with the table's channels: 1×1; reduction and 3×3; reduction and "5×5" (here 3×3); pool and
/// projection.
fn inception(b: &mut Builder, name: &str, x: NodeId, channels: [usize; 6]) -> Result<NodeId, GraphError> {
    let [one, reduced3, three, reduced5, five, projected] = channels;
    b.module(name, |b| {
        let branch1 = conv(b, "branch1", x, one, 1)?;
        let branch2 = b.module("branch2", |b| {
            let x = conv(b, "0", x, reduced3, 1)?;
            conv(b, "1", x, three, 3)
        })?;
        let branch3 = b.module("branch3", |b| {
            let x = conv(b, "0", x, reduced5, 1)?;
            conv(b, "1", x, five, 3)
        })?;
        let branch4 = b.module("branch4", |b| {
            let x = b.layer("0", x, Pool2d::max(3, 1, 1, true))?;
            conv(b, "1", x, projected, 1)
        })?;
        b.concat(&[branch1, branch2, branch3, branch4])
    })
}

fn conv(b: &mut Builder, name: &str, x: NodeId, out: usize, kernel: usize) -> Result<NodeId, GraphError> {
    basic_conv(b, name, x, out, Window::square(kernel, 1, kernel / 2))
}

/// A convolution with batch norm and ReLU: torchvision's `BasicConv2d`.
pub fn basic_conv(b: &mut Builder, name: &str, x: NodeId, out: usize, window: Window) -> Result<NodeId, GraphError> {
    b.module(name, |b| {
        let x = b.conv("conv", x, out, window, 1, false)?;
        let x = b.batch_norm("bn", x, EPS, None)?;
        b.op(Op::Activate(Relu), &[x])
    })
}
