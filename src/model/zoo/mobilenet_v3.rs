//! MobileNetV3: Howard et al., arXiv 1905.02244, tables 1 (large) and 2 (small), with the names of torchvision.

use super::conv_norm::conv_norm;
use super::divisible::divisible;
use super::squeeze_excitation::squeeze_excitation;
use super::{Architecture, Library};
use crate::graph::Activation::{self, HardSigmoid, HardSwish, Relu};
use crate::graph::{Builder, GraphError, NodeId, Op, Window};

const fn row(name: &'static str, build: super::Build) -> Architecture {
    Architecture::new(name, Library::Torchvision, "classifier.3", build)
}

pub const ROWS: &[Architecture] = &[
    row("mobilenet_v3_large", |b, x, c| mobilenet_v3(b, x, c, &LARGE, 1280)),
    row("mobilenet_v3_small", |b, x, c| mobilenet_v3(b, x, c, &SMALL, 1024)),
];

/// Kernel, expanded channels, output channels, squeeze-and-excitation, nonlinearity, stride.
pub struct Bneck(pub usize, pub usize, pub usize, pub bool, pub Activation, pub usize);

/// The paper's table 1. timm's network uses it too.
pub const LARGE: [Bneck; 15] = [
    Bneck(3, 16, 16, false, Relu, 1),
    Bneck(3, 64, 24, false, Relu, 2),
    Bneck(3, 72, 24, false, Relu, 1),
    Bneck(5, 72, 40, true, Relu, 2),
    Bneck(5, 120, 40, true, Relu, 1),
    Bneck(5, 120, 40, true, Relu, 1),
    Bneck(3, 240, 80, false, HardSwish, 2),
    Bneck(3, 200, 80, false, HardSwish, 1),
    Bneck(3, 184, 80, false, HardSwish, 1),
    Bneck(3, 184, 80, false, HardSwish, 1),
    Bneck(3, 480, 112, true, HardSwish, 1),
    Bneck(3, 672, 112, true, HardSwish, 1),
    Bneck(5, 672, 160, true, HardSwish, 2),
    Bneck(5, 960, 160, true, HardSwish, 1),
    Bneck(5, 960, 160, true, HardSwish, 1),
];
/// The paper's table 2.
pub const SMALL: [Bneck; 11] = [
    Bneck(3, 16, 16, true, Relu, 2),
    Bneck(3, 72, 24, false, Relu, 2),
    Bneck(3, 88, 24, false, Relu, 1),
    Bneck(5, 96, 40, true, HardSwish, 2),
    Bneck(5, 240, 40, true, HardSwish, 1),
    Bneck(5, 240, 40, true, HardSwish, 1),
    Bneck(5, 120, 48, true, HardSwish, 1),
    Bneck(5, 144, 48, true, HardSwish, 1),
    Bneck(5, 288, 96, true, HardSwish, 2),
    Bneck(5, 576, 96, true, HardSwish, 1),
    Bneck(5, 576, 96, true, HardSwish, 1),
];
const EPS: f32 = 1e-3;

fn mobilenet_v3(
    b: &mut Builder,
    x: NodeId,
    classes: usize,
    blocks: &[Bneck],
    hidden: usize,
) -> Result<NodeId, GraphError> {
    let x = b.module("features", |b| {
        let mut x = conv_norm(b, "0", x, 16, Window::square(3, 2, 1), 1, (EPS, Some(HardSwish)))?;
        for (i, row) in blocks.iter().enumerate() {
            x = b.module(&(i + 1).to_string(), |b| block(b, x, row))?;
        }
        let last = (blocks.len() + 1).to_string();
        conv_norm(b, &last, x, 6 * b.channels(x), Window::square(1, 1, 0), 1, (EPS, Some(HardSwish)))
    })?;
    let x = b.global_pool(Some("avgpool"), x)?;
    b.head("classifier", x, |b| {
        let x = b.linear("0", x, hidden, true)?;
        let x = b.layer("1", x, Op::Activate(HardSwish))?;
        b.linear("3", x, classes, true)
    })
}

/// An inverted residual with optional squeeze-and-excitation. If a module is absent, those after it are numbered
/// lower.
fn block(b: &mut Builder, x: NodeId, row: &Bneck) -> Result<NodeId, GraphError> {
    let &Bneck(kernel, hidden, out, excitation, activation, stride) = row;
    let input = b.channels(x);
    let y = b.module("block", |b| {
        let mut names = ["0", "1", "2", "3"].into_iter();
        let mut name = || names.next().unwrap_or_default();
        let mut y = x;
        if hidden != input {
            y = conv_norm(b, name(), y, hidden, Window::square(1, 1, 0), 1, (EPS, Some(activation)))?;
        }
        let window = Window::square(kernel, stride, kernel / 2);
        y = conv_norm(b, name(), y, hidden, window, hidden, (EPS, Some(activation)))?;
        if excitation {
            let squeezed = divisible((hidden / 4) as f64);
            y = b.module(name(), |b| squeeze_excitation(b, y, ["fc1", "fc2"], squeezed, Relu, HardSigmoid))?;
        }
        conv_norm(b, name(), y, out, Window::square(1, 1, 0), 1, (EPS, None))
    })?;
    if stride == 1 && input == out { b.op(Op::Add, &[x, y]) } else { Ok(y) }
}
