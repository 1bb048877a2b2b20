//! ConvNeXt: Liu et al., arXiv 2201.03545, section 3, with the names of torchvision and of timm.

use super::{Architecture, Library};
use crate::graph::{Activation::Gelu, Builder, GraphError, NodeId, Op, Window};

const fn torchvision(name: &'static str, build: super::Build) -> Architecture {
    Architecture::new(name, Library::Torchvision, "classifier.2", build)
}

const fn timm(name: &'static str, build: super::Build) -> Architecture {
    Architecture { default_layer: "stages", ..Architecture::new(name, Library::Timm, "head.fc", build) }
}

pub const ROWS: &[Architecture] = &[
    torchvision("convnext_tiny", |b, x, c| in_torchvision(b, x, c, TINY)),
    torchvision("convnext_small", |b, x, c| in_torchvision(b, x, c, SMALL)),
    torchvision("convnext_base", |b, x, c| in_torchvision(b, x, c, BASE)),
    torchvision("convnext_large", |b, x, c| in_torchvision(b, x, c, LARGE)),
    timm("convnext_tiny", |b, x, c| in_timm(b, x, c, TINY)),
    timm("convnext_small", |b, x, c| in_timm(b, x, c, SMALL)),
    timm("convnext_base", |b, x, c| in_timm(b, x, c, BASE)),
    timm("convnext_large", |b, x, c| in_timm(b, x, c, LARGE)),
];

/// Channels C of the first stage, doubled at each further stage, and number of blocks B of each stage.
struct Design(usize, [usize; 4]);

const TINY: Design = Design(96, [3, 3, 9, 3]);
const SMALL: Design = Design(96, [3, 3, 27, 3]);
const BASE: Design = Design(128, [3, 3, 27, 3]);
const LARGE: Design = Design(192, [3, 3, 27, 3]);

const EPS: f32 = 1e-6;

fn in_torchvision(b: &mut Builder, x: NodeId, classes: usize, design: Design) -> Result<NodeId, GraphError> {
    let Design(width, repeats) = design;
    let x = b.module("features", |b| {
        let mut x = b.module("0", |b| stem(b, x, width))?;
        for (stage, repeats) in repeats.into_iter().enumerate() {
            if stage > 0 {
                x = b.module(&(2 * stage).to_string(), |b| downsample(b, x))?;
            }
            x = b.module(&(2 * stage + 1).to_string(), |b| blocks(b, x, repeats, torchvision_block))?;
        }
        Ok(x)
    })?;
    let x = b.global_pool(Some("avgpool"), x)?;
    b.module("classifier", |b| {
        let x = b.layer_norm("0", x, EPS)?;
        b.classifier("2", x, classes)
    })
}

fn in_timm(b: &mut Builder, x: NodeId, classes: usize, design: Design) -> Result<NodeId, GraphError> {
    let Design(width, repeats) = design;
    let mut x = b.module("stem", |b| stem(b, x, width))?;
    x = b.module("stages", |b| {
        for (stage, repeats) in repeats.into_iter().enumerate() {
            x = b.module(&stage.to_string(), |b| {
                if stage > 0 {
                    x = b.module("downsample", |b| downsample(b, x))?;
                }
                b.module("blocks", |b| blocks(b, x, repeats, timm_block))
            })?;
        }
        Ok(x)
    })?;
    b.module("head", |b| {
        let x = b.global_pool(Some("global_pool"), x)?;
        let x = b.layer_norm("norm", x, EPS)?;
        b.classifier("fc", x, classes)
    })
}

fn stem(b: &mut Builder, x: NodeId, width: usize) -> Result<NodeId, GraphError> {
    let x = b.conv("0", x, width, Window::square(4, 4, 0), 1, true)?;
    b.layer_norm("1", x, EPS)
}

fn downsample(b: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let x = b.layer_norm("0", x, EPS)?;
    b.conv("1", x, 2 * b.channels(x), Window::square(2, 2, 0), 1, true)
}

type Block = fn(&mut Builder, NodeId) -> Result<NodeId, GraphError>;

fn blocks(b: &mut Builder, mut x: NodeId, repeats: usize, block: Block) -> Result<NodeId, GraphError> {
    for i in 0..repeats {
        x = b.module(&i.to_string(), |b| block(b, x))?;
    }
    Ok(x)
}

fn torchvision_block(b: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let width = b.channels(x);
    let y = b.module("block", |b| {
        let y = b.conv("0", x, width, Window::square(7, 1, 3), width, true)?;
        let y = b.layer_norm("2", y, EPS)?;
        let y = b.pointwise("3", y, 4 * width)?;
        let y = b.layer("4", y, Op::Activate(Gelu))?;
        b.pointwise("5", y, width)
    })?;
    let y = b.layer_scale("layer_scale", y, &[width, 1, 1])?;
    b.op(Op::Add, &[y, x])
}

fn timm_block(b: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let width = b.channels(x);
    let y = b.conv("conv_dw", x, width, Window::square(7, 1, 3), width, true)?;
    let y = b.layer_norm("norm", y, EPS)?;
    let y = b.module("mlp", |b| {
        let y = b.pointwise("fc1", y, 4 * width)?;
        let y = b.layer("act", y, Op::Activate(Gelu))?;
        b.pointwise("fc2", y, width)
    })?;
    let y = b.layer_scale("gamma", y, &[width])?;
    b.op(Op::Add, &[y, x])
}
