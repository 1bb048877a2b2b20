//! MobileNetV2: inverted residuals with linear bottlenecks. Sandler et al., arXiv 1801.04381, table 2.

use super::conv_norm::conv_norm;
use super::{Architecture, Library};
use crate::graph::{Activation::Relu6, Builder, GraphError, NodeId, Op, Window};

pub const ROWS: &[Architecture] =
    &[Architecture::new("mobilenet_v2", Library::Torchvision, "classifier.1", mobilenet_v2)];

/// Expansion t, output channels c, repeats n, stride of the first block s.
const STAGES: [[usize; 4]; 7] =
    [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]];
const EPS: f32 = 1e-5;

fn mobilenet_v2(b: &mut Builder, x: NodeId, classes: usize) -> Result<NodeId, GraphError> {
    let x = b.module("features", |b| {
        let mut x = conv_norm(b, "0", x, 32, Window::square(3, 2, 1), 1, (EPS, Some(Relu6)))?;
        let mut place = 1;
        for [expansion, out, repeats, stride] in STAGES {
            for i in 0..repeats {
                let stride = if i == 0 { stride } else { 1 };
                x = b.module(&place.to_string(), |b| block(b, x, expansion, out, stride))?;
                place += 1;
            }
        }
        conv_norm(b, &place.to_string(), x, 1280, Window::square(1, 1, 0), 1, (EPS, Some(Relu6)))
    })?;
    let x = b.global_pool(None, x)?;
    b.head("classifier", x, |b| b.linear("1", x, classes, true))
}

/// An inverted residual. Without expansion there is no first 1×1 convolution, and the modules after it are numbered
/// one lower.
fn block(b: &mut Builder, x: NodeId, expansion: usize, out: usize, stride: usize) -> Result<NodeId, GraphError> {
    let input = b.channels(x);
    let hidden = input * expansion;
    let y = b.module("conv", |b| {
        let mut y = x;
        if expansion > 1 {
            y = conv_norm(b, "0", y, hidden, Window::square(1, 1, 0), 1, (EPS, Some(Relu6)))?;
        }
        let names = if expansion > 1 { ["1", "2", "3"] } else { ["0", "1", "2"] };
        y = conv_norm(b, names[0], y, hidden, Window::square(3, stride, 1), hidden, (EPS, Some(Relu6)))?;
        y = b.conv(names[1], y, out, Window::square(1, 1, 0), 1, false)?;
        b.batch_norm(names[2], y, EPS, None)
    })?;
    if stride == 1 && input == out { b.op(Op::Add, &[x, y]) } else { Ok(y) }
}
