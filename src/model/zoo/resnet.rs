//! ResNet: He et al., arXiv 1512.03385, table 1, in the version "v1.5", which has the stride in the 3×3 convolution.
//! ResNeXt: arXiv 1611.05431. Wide ResNet: arXiv 1605.07146. Deep stems and averages before downsampling ("D"): arXiv
//! 1812.01187. Squeeze-and-excitation: arXiv 1709.01507. torchvision and timm use the same tensor names.
//!
//! The rows at the end are families: they take depth, width and the kind of block from the tensors.

use super::squeeze_excitation::squeeze_excitation;
use super::{Architecture, Library, divisible::divisible};
use crate::graph::Activation::{Relu, Sigmoid};
use crate::graph::{Builder, GraphError, NodeId, Op, Pool2d, PoolKind, Window};

const fn row(name: &'static str, build: super::Build) -> Architecture {
    let row = Architecture::new(name, Library::Torchvision, "fc", build);
    Architecture { default_layer: "layer4", dilates: true, ..row }
}

const fn timm(name: &'static str, build: super::Build) -> Architecture {
    Architecture { library: Library::Timm, ..row(name, build) }
}

/// A family of networks for small images, whose first convolution is 3×3 without stride, and which has no max pool.
const fn small(name: &'static str, default_layer: &'static str, build: super::Build) -> Architecture {
    Architecture { default_layer, size: 32, family: true, dilates: false, ..row(name, build) }
}

pub const ROWS: &[Architecture] = &[
    Architecture { twins: &["resnetblur18"], ..row("resnet18", |b, x, c| resnet(b, x, c, &R18)) },
    row("resnet34", |b, x, c| resnet(b, x, c, &R34)),
    Architecture { twins: &["resnetaa50", "resnetblur50"], ..row("resnet50", |b, x, c| resnet(b, x, c, &R50)) },
    row("resnet101", |b, x, c| resnet(b, x, c, &R101)),
    row("resnet152", |b, x, c| resnet(b, x, c, &Design { repeats: [3, 8, 36, 3], ..R50 })),
    row("resnext50_32x4d", |b, x, c| resnet(b, x, c, &Design { block: X4, ..R50 })),
    row("resnext101_32x8d", |b, x, c| resnet(b, x, c, &Design { block: Bottleneck(32, 256), ..R101 })),
    row("resnext101_64x4d", |b, x, c| resnet(b, x, c, &Design { block: Bottleneck(64, 256), ..R101 })),
    row("wide_resnet50_2", |b, x, c| resnet(b, x, c, &Design { block: Bottleneck(1, 128), ..R50 })),
    row("wide_resnet101_2", |b, x, c| resnet(b, x, c, &Design { block: Bottleneck(1, 128), ..R101 })),
    timm("resnet10t", |b, x, c| resnet(b, x, c, &Design { stem: TIERED, repeats: [1; 4], averages: true, ..R18 })),
    timm("resnet14t", |b, x, c| resnet(b, x, c, &Design { stem: TIERED, repeats: [1; 4], averages: true, ..R50 })),
    timm("resnet18d", |b, x, c| resnet(b, x, c, &Design { stem: DEEP, averages: true, ..R18 })),
    timm("resnet26", |b, x, c| resnet(b, x, c, &Design { repeats: [2; 4], ..R50 })),
    timm("resnet26t", |b, x, c| resnet(b, x, c, &Design { stem: TIERED, repeats: [2; 4], averages: true, ..R50 })),
    timm("resnet26d", |b, x, c| resnet(b, x, c, &Design { stem: DEEP, repeats: [2; 4], averages: true, ..R50 })),
    timm("resnet34d", |b, x, c| resnet(b, x, c, &Design { stem: DEEP, averages: true, ..R34 })),
    timm("resnet50d", |b, x, c| resnet(b, x, c, &Design { stem: DEEP, averages: true, ..R50 })),
    timm("resnet50t", |b, x, c| resnet(b, x, c, &Design { stem: TIERED, averages: true, ..R50 })),
    timm("resnet101d", |b, x, c| resnet(b, x, c, &Design { stem: DEEP, averages: true, ..R101 })),
    timm("resnext50d_32x4d", |b, x, c| resnet(b, x, c, &Design { stem: DEEP, block: X4, averages: true, ..R50 })),
    timm("seresnet50", |b, x, c| resnet(b, x, c, &Design { excitation: true, ..R50 })),
    timm("seresnext50_32x4d", |b, x, c| resnet(b, x, c, &Design { block: X4, excitation: true, ..R50 })),
    timm("seresnext101_32x4d", |b, x, c| resnet(b, x, c, &Design { block: X4, excitation: true, ..R101 })),
    Architecture { family: true, ..row("resnet", |b, x, c| by_shapes(b, x, c, 4, R18)) },
    small("resnet_small_images", "layer4", |b, x, c| by_shapes(b, x, c, 4, SMALL)),
    small("resnet_small_images_3", "layer3", |b, x, c| by_shapes(b, x, c, 3, SMALL)),
];

const EPS: f32 = 1e-5;

/// The first convolutions.
#[derive(Clone, Copy)]
enum Stem {
    /// 7×7 with stride 2 and so many channels, then a max pool.
    Wide(usize),
    /// Three of 3×3 with these numbers of channels, the first with stride 2, then a max pool.
    Deep([usize; 3]),
    /// 3×3 with so many channels, without stride and max pool.
    Small(usize),
}
use Stem::{Deep, Small, Wide};
const DEEP: Stem = Deep([32, 32, 64]);
const TIERED: Stem = Deep([24, 32, 64]);

/// A residual block. A bottleneck has a number of groups, and a width in the first stage.
#[derive(Clone, Copy)]
enum Block {
    Basic,
    Bottleneck(usize, usize),
}
use Block::{Basic, Bottleneck};
const X4: Block = Bottleneck(32, 128);

/// What the networks differ in.
struct Design {
    stem: Stem,
    block: Block,
    /// Channels of the first stage, before a bottleneck's expansion by 4.
    planes: usize,
    /// Blocks of each stage.
    repeats: [usize; 4],
    /// Whether an average pool strides where the convolution of a shortcut otherwise would.
    averages: bool,
    /// Whether blocks have squeeze-and-excitation.
    excitation: bool,
}
const R18: Design =
    Design { stem: Wide(64), block: Basic, planes: 64, repeats: [2; 4], averages: false, excitation: false };
const R34: Design = Design { repeats: [3, 4, 6, 3], ..R18 };
const R50: Design = Design { block: Bottleneck(1, 64), ..R34 };
const R101: Design = Design { repeats: [3, 4, 23, 3], ..R50 };
const SMALL: Design = Design { stem: Small(64), ..R18 };

/// The network of so many stages that the tensors are of. Where there are none, it is `usual`.
fn by_shapes(b: &mut Builder, x: NodeId, classes: usize, stages: usize, usual: Design) -> Result<NodeId, GraphError> {
    let out = |b: &Builder, name: &str| b.shape_of(name).map(|shape| shape[0]);
    let repeats = [1, 2, 3, 4]
        .map(|stage| (0..).take_while(|i| b.shape_of(&format!("layer{stage}.{i}.conv1.weight")).is_some()).count());
    if repeats.map(|blocks| blocks > 0) != std::array::from_fn(|stage| stage < stages) {
        return resnet(
            b,
            x,
            classes,
            &Design { repeats: std::array::from_fn(|i| if i < stages { 2 } else { 0 }), ..usual },
        );
    }
    let deep = ["0", "3", "6"].map(|i| out(b, &format!("conv1.{i}.weight")));
    let stem = match (usual.stem, out(b, "conv1.weight"), deep) {
        (Small(_), Some(width), _) => Small(width),
        (Wide(_), Some(width), _) => Wide(width),
        (Wide(_), None, [Some(first), Some(second), Some(third)]) => Deep([first, second, third]),
        (stem, ..) => stem,
    };
    let first = |b: &Builder, name: &str| b.shape_of(&format!("layer1.0.{name}")).map(<[usize]>::to_vec);
    let (block, planes) = match (first(b, "conv2.weight"), out(b, "layer1.0.conv3.weight")) {
        (Some(conv), Some(out)) => (Bottleneck(conv[0] / conv[1].max(1), conv[0]), out / 4),
        (Some(conv), None) => (Basic, conv[0]),
        _ => (usual.block, usual.planes),
    };
    let averages =
        [1, 2].iter().any(|i| b.shape_of(&format!("layer{i}.0.downsample.1.weight")).is_some_and(|s| s.len() == 4));
    let excitation = first(b, "se.fc1.weight").is_some();
    resnet(b, x, classes, &Design { stem, block, planes, repeats, averages, excitation })
}

fn resnet(b: &mut Builder, x: NodeId, classes: usize, design: &Design) -> Result<NodeId, GraphError> {
    let mut x = stem(b, x, design.stem)?;
    // The stride so far, and the distance of taps that stands for strides left out.
    let (mut strided, mut dilation) = (4, 1);
    for (stage, repeats) in design.repeats.into_iter().enumerate().filter(|(_, repeats)| *repeats > 0) {
        let mut stride = if stage > 0 { 2 } else { 1 };
        let before = dilation;
        if strided >= b.output_stride() {
            dilation *= stride;
            stride = 1;
        } else {
            strided *= stride;
        }
        x = b.module(&format!("layer{}", stage + 1), |b| {
            for i in 0..repeats {
                let (stride, first) = if i == 0 { (stride, before) } else { (1, dilation) };
                x = b.module(&i.to_string(), |b| residual(b, x, design, stage, stride, [first, dilation]))?;
            }
            Ok(x)
        })?;
    }
    let x = b.global_pool(Some("avgpool"), x)?;
    b.classifier("fc", x, classes)
}

fn stem(b: &mut Builder, x: NodeId, stem: Stem) -> Result<NodeId, GraphError> {
    let x = match stem {
        Wide(width) => b.conv("conv1", x, width, Window::square(7, 2, 3), 1, false)?,
        Small(width) => b.conv("conv1", x, width, Window::square(3, 1, 1), 1, false)?,
        Deep([first, second, third]) => b.module("conv1", |b| {
            let x = b.conv("0", x, first, Window::square(3, 2, 1), 1, false)?;
            let x = b.batch_norm("1", x, EPS, None)?;
            let x = b.layer("2", x, Op::Activate(Relu))?;
            let x = b.conv("3", x, second, Window::square(3, 1, 1), 1, false)?;
            let x = b.batch_norm("4", x, EPS, None)?;
            let x = b.layer("5", x, Op::Activate(Relu))?;
            b.conv("6", x, third, Window::square(3, 1, 1), 1, false)
        })?,
    };
    let x = b.batch_norm("bn1", x, EPS, None)?;
    let x = b.op(Op::Activate(Relu), &[x])?;
    if matches!(stem, Small(_)) { Ok(x) } else { b.layer("maxpool", x, Pool2d::max(3, 2, 1, false)) }
}

/// A block of a stage. Its first 3×3 convolution has the stride, and the first of the distances of taps.
fn residual(
    b: &mut Builder,
    x: NodeId,
    design: &Design,
    stage: usize,
    stride: usize,
    [first, dilation]: [usize; 2],
) -> Result<NodeId, GraphError> {
    let three = |stride, dilation| Window { dilation: [dilation; 2], ..Window::square(3, stride, dilation) };
    let planes = design.planes << stage;
    let (mut y, out) = match design.block {
        Basic => {
            let y = b.conv("conv1", x, planes, three(stride, first), 1, false)?;
            let y = b.batch_norm("bn1", y, EPS, None)?;
            let y = b.op(Op::Activate(Relu), &[y])?;
            let y = b.conv("conv2", y, planes, three(1, dilation), 1, false)?;
            (b.batch_norm("bn2", y, EPS, None)?, planes)
        }
        Bottleneck(groups, width) => {
            let y = b.conv("conv1", x, width << stage, Window::square(1, 1, 0), 1, false)?;
            let y = b.batch_norm("bn1", y, EPS, None)?;
            let y = b.op(Op::Activate(Relu), &[y])?;
            let y = b.conv("conv2", y, width << stage, three(stride, first), groups, false)?;
            let y = b.batch_norm("bn2", y, EPS, None)?;
            let y = b.op(Op::Activate(Relu), &[y])?;
            let y = b.conv("conv3", y, planes * 4, Window::square(1, 1, 0), 1, false)?;
            (b.batch_norm("bn3", y, EPS, None)?, planes * 4)
        }
    };
    if design.excitation {
        // A sixteenth of the channels, a multiple of eight.
        let squeezed = b.shape_of("se.fc1.weight").map_or_else(|| divisible(out as f64 / 16.0), |shape| shape[0]);
        y = b.module("se", |b| squeeze_excitation(b, y, ["fc1", "fc2"], squeezed, Relu, Sigmoid))?;
    }
    let identity = if stride > 1 || b.channels(x) != out { shortcut(b, x, design, out, stride)? } else { x };
    let sum = b.op(Op::Add, &[y, identity])?;
    b.op(Op::Activate(Relu), &[sum])
}

fn shortcut(b: &mut Builder, x: NodeId, design: &Design, out: usize, stride: usize) -> Result<NodeId, GraphError> {
    b.module("downsample", |b| {
        if !design.averages {
            let x = b.conv("0", x, out, Window::square(1, stride, 0), 1, false)?;
            return b.batch_norm("1", x, EPS, None);
        }
        let kind = PoolKind::Average { count_include_pad: false };
        let pool = Op::Pool2d(Pool2d { kind, window: Window::square(2, 2, 0), ceil_mode: true });
        let x = if stride > 1 { b.layer("0", x, pool)? } else { x };
        let x = b.conv("1", x, out, Window::square(1, 1, 0), 1, false)?;
        b.batch_norm("2", x, EPS, None)
    })
}
