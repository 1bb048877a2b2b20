//! ResNet: He et al., arXiv 1512.03385, table 1, in the version "v1.5", which has the stride in the 3×3 convolution.
//! ResNeXt: arXiv 1611.05431. Wide ResNet: arXiv 1605.07146. torchvision and timm use the same tensor names.

use super::{Architecture, Library};
use crate::graph::{Activation::Relu, Builder, GraphError, NodeId, Op, Pool2d, Window};

const fn row(name: &'static str, build: super::Build) -> Architecture {
    Architecture { default_layer: "layer4", ..Architecture::new(name, Library::Torchvision, "fc", build) }
}

pub const ROWS: &[Architecture] = &[
    row("resnet18", |b, x, c| resnet(b, x, c, Basic, [2, 2, 2, 2])),
    row("resnet34", |b, x, c| resnet(b, x, c, Basic, [3, 4, 6, 3])),
    row("resnet50", |b, x, c| resnet(b, x, c, Bottleneck(1, 64), [3, 4, 6, 3])),
    row("resnet101", |b, x, c| resnet(b, x, c, Bottleneck(1, 64), [3, 4, 23, 3])),
    row("resnet152", |b, x, c| resnet(b, x, c, Bottleneck(1, 64), [3, 8, 36, 3])),
    row("resnext50_32x4d", |b, x, c| resnet(b, x, c, Bottleneck(32, 4), [3, 4, 6, 3])),
    row("resnext101_32x8d", |b, x, c| resnet(b, x, c, Bottleneck(32, 8), [3, 4, 23, 3])),
    row("resnext101_64x4d", |b, x, c| resnet(b, x, c, Bottleneck(64, 4), [3, 4, 23, 3])),
    row("wide_resnet50_2", |b, x, c| resnet(b, x, c, Bottleneck(1, 128), [3, 4, 6, 3])),
    row("wide_resnet101_2", |b, x, c| resnet(b, x, c, Bottleneck(1, 128), [3, 4, 23, 3])),
];

const EPS: f32 = 1e-5;

/// A residual block. A bottleneck has a number of groups, and the width of a group in the first stage.
#[derive(Clone, Copy)]
enum Block {
    Basic,
    Bottleneck(usize, usize),
}
use Block::{Basic, Bottleneck};

fn resnet(b: &mut Builder, x: NodeId, classes: usize, block: Block, repeats: [usize; 4]) -> Result<NodeId, GraphError> {
    let x = b.conv("conv1", x, 64, Window::square(7, 2, 3), 1, false)?;
    let x = b.batch_norm("bn1", x, EPS, None)?;
    let x = b.op(Op::Activate(Relu), &[x])?;
    let mut x = b.layer("maxpool", x, Pool2d::max(3, 2, 1, false))?;
    for (stage, repeats) in repeats.into_iter().enumerate() {
        x = b.module(&format!("layer{}", stage + 1), |b| {
            for i in 0..repeats {
                let stride = if stage > 0 && i == 0 { 2 } else { 1 };
                x = b.module(&i.to_string(), |b| residual(b, x, block, 64 << stage, stride))?;
            }
            Ok(x)
        })?;
    }
    let x = b.layer("avgpool", x, Op::Mean)?;
    b.linear("fc", x, classes)
}

fn residual(b: &mut Builder, x: NodeId, block: Block, planes: usize, stride: usize) -> Result<NodeId, GraphError> {
    let (y, out) = match block {
        Basic => {
            let y = b.conv("conv1", x, planes, Window::square(3, stride, 1), 1, false)?;
            let y = b.batch_norm("bn1", y, EPS, None)?;
            let y = b.op(Op::Activate(Relu), &[y])?;
            let y = b.conv("conv2", y, planes, Window::square(3, 1, 1), 1, false)?;
            (b.batch_norm("bn2", y, EPS, None)?, planes)
        }
        Bottleneck(groups, base) => {
            let width = planes * base / 64 * groups;
            let y = b.conv("conv1", x, width, Window::square(1, 1, 0), 1, false)?;
            let y = b.batch_norm("bn1", y, EPS, None)?;
            let y = b.op(Op::Activate(Relu), &[y])?;
            let y = b.conv("conv2", y, width, Window::square(3, stride, 1), groups, false)?;
            let y = b.batch_norm("bn2", y, EPS, None)?;
            let y = b.op(Op::Activate(Relu), &[y])?;
            let y = b.conv("conv3", y, planes * 4, Window::square(1, 1, 0), 1, false)?;
            (b.batch_norm("bn3", y, EPS, None)?, planes * 4)
        }
    };
    let mut identity = x;
    if stride > 1 || b.channels(x) != out {
        identity = b.module("downsample", |b| {
            let x = b.conv("0", x, out, Window::square(1, stride, 0), 1, false)?;
            b.batch_norm("1", x, EPS, None)
        })?;
    }
    let sum = b.op(Op::Add, &[y, identity])?;
    b.op(Op::Activate(Relu), &[sum])
}
