//! `SqueezeNet`: Iandola et al., arXiv 1602.07360, table 1. Version 1.1 uses the authors' later, cheaper order. Names
//! as in torchvision.

use super::{Architecture, Library};
use crate::graph::{Activation::Relu, Builder, GraphError, NodeId, Op, Pool2d, Window};

const fn row(name: &'static str, build: super::Build) -> Architecture {
    Architecture::new(name, Library::Torchvision, "classifier.1", build)
}

pub const ROWS: &[Architecture] = &[
    row("squeezenet1_0", |b, x, c| squeezenet(b, x, c, 96, 7, &V1_0)),
    row("squeezenet1_1", |b, x, c| squeezenet(b, x, c, 64, 3, &V1_1)),
];

/// A step after the first convolution. A fire module has the number of squeezed channels, and the number of channels
/// of each of its two expansions.
#[derive(Clone, Copy)]
enum Step {
    Pool,
    Fire(usize, usize),
}
use Step::{Fire, Pool};

const V1_0: [Step; 11] = [
    Pool,
    Fire(16, 64),
    Fire(16, 64),
    Fire(32, 128),
    Pool,
    Fire(32, 128),
    Fire(48, 192),
    Fire(48, 192),
    Fire(64, 256),
    Pool,
    Fire(64, 256),
];
const V1_1: [Step; 11] = [
    Pool,
    Fire(16, 64),
    Fire(16, 64),
    Pool,
    Fire(32, 128),
    Fire(32, 128),
    Pool,
    Fire(48, 192),
    Fire(48, 192),
    Fire(64, 256),
    Fire(64, 256),
];

fn squeezenet(
    b: &mut Builder,
    x: NodeId,
    classes: usize,
    out: usize,
    kernel: usize,
    steps: &[Step],
) -> Result<NodeId, GraphError> {
    let x = b.module("features", |b| {
        let x = b.conv("0", x, out, Window::square(kernel, 2, 0), 1, true)?;
        let mut x = b.layer("1", x, Op::Activate(Relu))?;
        for (i, step) in steps.iter().enumerate() {
            let name = (i + 2).to_string();
            x = match *step {
                Pool => b.layer(&name, x, Pool2d::max(3, 2, 0, true))?,
                Fire(squeeze, expand) => b.module(&name, |b| fire(b, x, squeeze, expand))?,
            };
        }
        Ok(x)
    })?;
    b.head("classifier", x, |b| {
        let x = conv(b, "1", "2", x, classes, 1)?;
        b.layer("3", x, Op::Mean)
    })
}

fn fire(b: &mut Builder, x: NodeId, squeeze: usize, expand: usize) -> Result<NodeId, GraphError> {
    let x = conv(b, "squeeze", "squeeze_activation", x, squeeze, 1)?;
    let one = conv(b, "expand1x1", "expand1x1_activation", x, expand, 1)?;
    let three = conv(b, "expand3x3", "expand3x3_activation", x, expand, 3)?;
    b.concat(&[one, three])
}

fn conv(b: &mut Builder, name: &str, relu: &str, x: NodeId, out: usize, kernel: usize) -> Result<NodeId, GraphError> {
    let x = b.conv(name, x, out, Window::square(kernel, 1, kernel / 2), 1, true)?;
    b.layer(relu, x, Op::Activate(Relu))
}
