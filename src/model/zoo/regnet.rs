//! RegNet: Radosavovic et al., arXiv 2003.13678, figures 16 (X) and 17 (Y, with squeeze-and-excitation). Names of
//! torchvision and of timm.
//!
//! The block width grows linearly with depth and is then quantised to a few stages.

use super::squeeze_excitation::squeeze_excitation;
use super::{Architecture, Library};
use crate::graph::Activation::{self, Relu, Sigmoid};
use crate::graph::{Builder, GraphError, NodeId, Op, Window};
use Library::{Timm, Torchvision};

const fn torchvision(name: &'static str, build: super::Build) -> Architecture {
    Architecture { default_layer: "trunk_output", ..Architecture::new(name, Torchvision, "fc", build) }
}

const fn timm(name: &'static str, build: super::Build) -> Architecture {
    Architecture { default_layer: "s4", ..Architecture::new(name, Timm, "head.fc", build) }
}

pub const ROWS: &[Architecture] = &[
    torchvision("regnet_x_400mf", |b, x, c| regnet(b, x, c, Torchvision, &X_004)),
    torchvision("regnet_x_800mf", |b, x, c| regnet(b, x, c, Torchvision, &X_008)),
    torchvision("regnet_x_1_6gf", |b, x, c| regnet(b, x, c, Torchvision, &X_016)),
    torchvision("regnet_x_3_2gf", |b, x, c| regnet(b, x, c, Torchvision, &X_032)),
    torchvision("regnet_x_8gf", |b, x, c| regnet(b, x, c, Torchvision, &X_080)),
    torchvision("regnet_x_16gf", |b, x, c| regnet(b, x, c, Torchvision, &X_160)),
    torchvision("regnet_x_32gf", |b, x, c| regnet(b, x, c, Torchvision, &X_320)),
    torchvision("regnet_y_400mf", |b, x, c| regnet(b, x, c, Torchvision, &Y_004)),
    torchvision("regnet_y_800mf", |b, x, c| regnet(b, x, c, Torchvision, &Y_008)),
    torchvision("regnet_y_1_6gf", |b, x, c| regnet(b, x, c, Torchvision, &Y_016)),
    torchvision("regnet_y_3_2gf", |b, x, c| regnet(b, x, c, Torchvision, &Y_032)),
    torchvision("regnet_y_8gf", |b, x, c| regnet(b, x, c, Torchvision, &Y_080)),
    torchvision("regnet_y_16gf", |b, x, c| regnet(b, x, c, Torchvision, &Y_160)),
    torchvision("regnet_y_32gf", |b, x, c| regnet(b, x, c, Torchvision, &Y_320)),
    torchvision("regnet_y_128gf", |b, x, c| regnet(b, x, c, Torchvision, &Y_1280)),
    timm("regnetx_002", |b, x, c| regnet(b, x, c, Timm, &X_002)),
    timm("regnetx_004", |b, x, c| regnet(b, x, c, Timm, &X_004)),
    timm("regnetx_006", |b, x, c| regnet(b, x, c, Timm, &X_006)),
    timm("regnetx_008", |b, x, c| regnet(b, x, c, Timm, &X_008)),
    timm("regnetx_016", |b, x, c| regnet(b, x, c, Timm, &X_016)),
    timm("regnetx_032", |b, x, c| regnet(b, x, c, Timm, &X_032)),
    timm("regnetx_040", |b, x, c| regnet(b, x, c, Timm, &X_040)),
    timm("regnetx_064", |b, x, c| regnet(b, x, c, Timm, &X_064)),
    timm("regnetx_080", |b, x, c| regnet(b, x, c, Timm, &X_080)),
    timm("regnetx_120", |b, x, c| regnet(b, x, c, Timm, &X_120)),
    timm("regnetx_160", |b, x, c| regnet(b, x, c, Timm, &X_160)),
    timm("regnetx_320", |b, x, c| regnet(b, x, c, Timm, &X_320)),
    timm("regnety_002", |b, x, c| regnet(b, x, c, Timm, &Y_002)),
    timm("regnety_004", |b, x, c| regnet(b, x, c, Timm, &Y_004)),
    timm("regnety_006", |b, x, c| regnet(b, x, c, Timm, &Y_006)),
    timm("regnety_008", |b, x, c| regnet(b, x, c, Timm, &Y_008)),
    timm("regnety_016", |b, x, c| regnet(b, x, c, Timm, &Y_016)),
    timm("regnety_032", |b, x, c| regnet(b, x, c, Timm, &Y_032)),
    timm("regnety_040", |b, x, c| regnet(b, x, c, Timm, &Y_040)),
    timm("regnety_064", |b, x, c| regnet(b, x, c, Timm, &Y_064)),
    timm("regnety_080", |b, x, c| regnet(b, x, c, Timm, &Y_080)),
    timm("regnety_120", |b, x, c| regnet(b, x, c, Timm, &Y_120)),
    timm("regnety_160", |b, x, c| regnet(b, x, c, Timm, &Y_160)),
    timm("regnety_320", |b, x, c| regnet(b, x, c, Timm, &Y_320)),
];

/// Variant, depth, initial width w_0, slope w_a, step w_m, group width.
struct Design(Variant, usize, f64, f64, f64, usize);

#[derive(Clone, Copy, PartialEq)]
enum Variant {
    X,
    /// With squeeze-and-excitation.
    Y,
}
use Variant::{X, Y};

const X_002: Design = Design(X, 13, 24.0, 36.44, 2.49, 8);
const X_004: Design = Design(X, 22, 24.0, 24.48, 2.54, 16);
const X_006: Design = Design(X, 16, 48.0, 36.97, 2.24, 24);
const X_008: Design = Design(X, 16, 56.0, 35.73, 2.28, 16);
const X_016: Design = Design(X, 18, 80.0, 34.01, 2.25, 24);
const X_032: Design = Design(X, 25, 88.0, 26.31, 2.25, 48);
const X_040: Design = Design(X, 23, 96.0, 38.65, 2.43, 40);
const X_064: Design = Design(X, 17, 184.0, 60.83, 2.07, 56);
const X_080: Design = Design(X, 23, 80.0, 49.56, 2.88, 120);
const X_120: Design = Design(X, 19, 168.0, 73.36, 2.37, 112);
const X_160: Design = Design(X, 22, 216.0, 55.59, 2.1, 128);
const X_320: Design = Design(X, 23, 320.0, 69.86, 2.0, 168);
const Y_002: Design = Design(Y, 13, 24.0, 36.44, 2.49, 8);
const Y_004: Design = Design(Y, 16, 48.0, 27.89, 2.09, 8);
const Y_006: Design = Design(Y, 15, 48.0, 32.54, 2.32, 16);
const Y_008: Design = Design(Y, 14, 56.0, 38.84, 2.4, 16);
const Y_016: Design = Design(Y, 27, 48.0, 20.71, 2.65, 24);
const Y_032: Design = Design(Y, 21, 80.0, 42.63, 2.66, 24);
const Y_040: Design = Design(Y, 22, 96.0, 31.41, 2.24, 64);
const Y_064: Design = Design(Y, 25, 112.0, 33.22, 2.27, 72);
const Y_080: Design = Design(Y, 17, 192.0, 76.82, 2.19, 56);
const Y_120: Design = Design(Y, 19, 168.0, 73.36, 2.37, 112);
const Y_160: Design = Design(Y, 18, 200.0, 106.23, 2.48, 112);
const Y_320: Design = Design(Y, 20, 232.0, 115.89, 2.53, 232);
const Y_1280: Design = Design(Y, 27, 456.0, 160.83, 2.52, 264);

const EPS: f32 = 1e-5;

/// Successive blocks of equal width.
struct Stage {
    repeats: usize,
    width: usize,
    group: usize,
}

impl Design {
    /// Equations 2 to 4. `u_j = w_0 + w_a · j` is rounded to the nearest `w_0 · w_m^s` with integer `s`, and the
    /// result to a multiple of 8. Blocks of equal width form a stage. The stage's width is then rounded to a multiple
    /// of the group width.
    fn stages(&self, library: Library) -> Vec<Stage> {
        let &Self(_, depth, initial, slope, step, group) = self;
        let widths = (0..depth).map(|j| {
            let power = ((1.0 + slope * j as f64 / initial).ln() / step.ln()).round_ties_even();
            (initial * step.powf(power) / 8.0).round_ties_even() as usize * 8
        });
        let widths: Vec<usize> = widths.collect();
        let stages = widths.chunk_by(|a, b| a == b).map(|blocks| {
            let group = group.min(blocks[0]);
            Stage { repeats: blocks.len(), width: whole_groups(blocks[0], group, library), group }
        });
        stages.collect()
    }
}

/// The multiple of `group` nearest to `width`. torchvision rounds a tie up and never goes below nine tenths of
/// `width`. timm rounds a tie to the even multiple.
fn whole_groups(width: usize, group: usize, library: Library) -> usize {
    let groups = width as f64 / group as f64;
    let nearest = match library {
        Torchvision if groups.round() < 0.9 * groups => groups.ceil(),
        Torchvision => groups.round(),
        _ => groups.round_ties_even(),
    };
    nearest as usize * group
}

fn regnet(b: &mut Builder, x: NodeId, classes: usize, library: Library, design: &Design) -> Result<NodeId, GraphError> {
    let x = conv_norm(b, library, "stem", x, 32, [3, 2, 1], Some(Relu))?;
    match library {
        Torchvision => {
            let x = b.module("trunk_output", |b| trunk(b, x, library, design))?;
            let x = b.global_pool(Some("avgpool"), x)?;
            b.classifier("fc", x, classes)
        }
        _ => {
            let x = trunk(b, x, library, design)?;
            b.module("head", |b| {
                let x = b.global_pool(Some("global_pool"), x)?;
                b.classifier("fc", x, classes)
            })
        }
    }
}

fn trunk(b: &mut Builder, mut x: NodeId, library: Library, design: &Design) -> Result<NodeId, GraphError> {
    for (stage, number) in design.stages(library).iter().zip(1..) {
        let name = if library == Torchvision { format!("block{number}") } else { format!("s{number}") };
        x = b.module(&name, |b| {
            for i in 0..stage.repeats {
                let name = if library == Torchvision { format!("block{number}-{i}") } else { format!("b{}", i + 1) };
                let stride = if i == 0 { 2 } else { 1 };
                x = b.module(&name, |b| block(b, x, library, design.0, stage, stride))?;
            }
            Ok(x)
        })?;
    }
    Ok(x)
}

fn block(
    b: &mut Builder,
    x: NodeId,
    library: Library,
    variant: Variant,
    stage: &Stage,
    stride: usize,
) -> Result<NodeId, GraphError> {
    let shortcut = |b: &mut Builder, name: &str| {
        if stride == 1 && b.channels(x) == stage.width {
            return Ok(x);
        }
        conv_norm(b, library, name, x, stage.width, [1, stride, 1], None)
    };
    match library {
        Torchvision => {
            let shortcut = shortcut(b, "proj")?;
            let y = b.module("f", |b| bottleneck(b, x, library, ["a", "b", "c"], variant, stage, stride))?;
            let sum = b.op(Op::Add, &[shortcut, y])?;
            b.layer("activation", sum, Op::Activate(Relu))
        }
        _ => {
            let y = bottleneck(b, x, library, ["conv1", "conv2", "conv3"], variant, stage, stride)?;
            let shortcut = shortcut(b, "downsample")?;
            let sum = b.op(Op::Add, &[y, shortcut])?;
            b.op(Op::Activate(Relu), &[sum])
        }
    }
}

fn bottleneck(
    b: &mut Builder,
    x: NodeId,
    library: Library,
    names: [&str; 3],
    variant: Variant,
    &Stage { width, group, .. }: &Stage,
    stride: usize,
) -> Result<NodeId, GraphError> {
    let y = conv_norm(b, library, names[0], x, width, [1, 1, 1], Some(Relu))?;
    let mut y = conv_norm(b, library, names[1], y, width, [3, stride, width / group], Some(Relu))?;
    if variant == Y {
        let squeezed = b.channels(x) / 4;
        y = b.module("se", |b| squeeze_excitation(b, y, ["fc1", "fc2"], squeezed, Relu, Sigmoid))?;
    }
    conv_norm(b, library, names[2], y, width, [1, 1, 1], None)
}

/// A convolution, a batch norm and an optional activation. In timm the activation is part of the batch norm's module.
fn conv_norm(
    b: &mut Builder,
    library: Library,
    name: &str,
    x: NodeId,
    out: usize,
    [kernel, stride, groups]: [usize; 3],
    activation: Option<Activation>,
) -> Result<NodeId, GraphError> {
    let window = Window::square(kernel, stride, kernel / 2);
    if library == Torchvision {
        return super::conv_norm::conv_norm(b, name, x, out, window, groups, (EPS, activation));
    }
    b.module(name, |b| {
        let x = b.conv("conv", x, out, window, groups, false)?;
        b.batch_norm("bn", x, EPS, activation)
    })
}
