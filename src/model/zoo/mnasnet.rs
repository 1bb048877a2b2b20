//! MnasNet-B1, found by search: Tan et al., arXiv 1807.11626, figure 7 without squeeze-and-excitation.

use super::divisible::divisible;
use super::{Architecture, Library};
use crate::graph::{Activation::Relu, Builder, GraphError, NodeId, Op, Window};

const fn row(name: &'static str, build: super::Build) -> Architecture {
    Architecture { default_layer: "layers", ..Architecture::new(name, Library::Torchvision, "classifier.1", build) }
}

pub const ROWS: &[Architecture] = &[
    row("mnasnet0_5", |b, x, c| mnasnet(b, x, c, 0.5)),
    row("mnasnet0_75", |b, x, c| mnasnet(b, x, c, 0.75)),
    row("mnasnet1_0", |b, x, c| mnasnet(b, x, c, 1.0)),
    row("mnasnet1_3", |b, x, c| mnasnet(b, x, c, 1.3)),
];

/// Output channels, kernel, stride of the first block, expansion, repeats.
const STACKS: [[usize; 5]; 6] =
    [[24, 3, 2, 3, 3], [40, 5, 2, 3, 3], [80, 5, 2, 6, 3], [96, 3, 1, 6, 2], [192, 5, 2, 6, 4], [320, 3, 1, 6, 1]];
const EPS: f32 = 1e-5;

fn mnasnet(b: &mut Builder, x: NodeId, classes: usize, alpha: f64) -> Result<NodeId, GraphError> {
    let scaled = |channels: usize| divisible(channels as f64 * alpha);
    let (stem, first) = (scaled(32), scaled(16));
    let x = b.module("layers", |b| {
        let x = conv(b, ["0", "1", "2"], x, stem, Window::square(3, 2, 1), 1)?;
        let x = conv(b, ["3", "4", "5"], x, stem, Window::square(3, 1, 1), stem)?;
        let x = b.conv("6", x, first, Window::square(1, 1, 0), 1, false)?;
        let mut x = b.batch_norm("7", x, EPS, None)?;
        for (stack, [out, kernel, stride, expansion, repeats]) in STACKS.into_iter().enumerate() {
            x = b.module(&(8 + stack).to_string(), |b| {
                for i in 0..repeats {
                    let stride = if i == 0 { stride } else { 1 };
                    x = b.module(&i.to_string(), |b| block(b, x, scaled(out), kernel, stride, expansion))?;
                }
                Ok(x)
            })?;
        }
        conv(b, ["14", "15", "16"], x, 1280, Window::square(1, 1, 0), 1)
    })?;
    let x = b.global_pool(None, x)?;
    b.head("classifier", x, |b| b.linear("1", x, classes, true))
}

/// An inverted residual.
fn block(
    b: &mut Builder,
    x: NodeId,
    out: usize,
    kernel: usize,
    stride: usize,
    expansion: usize,
) -> Result<NodeId, GraphError> {
    let input = b.channels(x);
    let hidden = input * expansion;
    let y = b.module("layers", |b| {
        let y = conv(b, ["0", "1", "2"], x, hidden, Window::square(1, 1, 0), 1)?;
        let y = conv(b, ["3", "4", "5"], y, hidden, Window::square(kernel, stride, kernel / 2), hidden)?;
        let y = b.conv("6", y, out, Window::square(1, 1, 0), 1, false)?;
        b.batch_norm("7", y, EPS, None)
    })?;
    if stride == 1 && input == out { b.op(Op::Add, &[x, y]) } else { Ok(y) }
}

/// A convolution, its batch norm and a ReLU.
fn conv(
    b: &mut Builder,
    names: [&str; 3],
    x: NodeId,
    out: usize,
    window: Window,
    groups: usize,
) -> Result<NodeId, GraphError> {
    let x = b.conv(names[0], x, out, window, groups, false)?;
    let x = b.batch_norm(names[1], x, EPS, None)?;
    b.layer(names[2], x, Op::Activate(Relu))
}
