//! EfficientNet-Lite: EfficientNet without squeeze-excitation, with ReLU6, for small devices.
//! Tan & Le, arXiv 1905.11946, table 1; names and "same" padding as in timm's `tf_efficientnet_lite*`.

use super::{Architecture, Library};
use crate::graph::{Activation::Relu6, Builder, GraphError, NodeId, Op, Window};

pub const ROWS: &[Architecture] = &[Architecture {
    default_layer: "bn2",
    ..Architecture::new("tf_efficientnet_lite0", Library::Timm, "classifier", lite0)
}];

/// Repeats, kernel, stride of the first block, expansion, output channels.
const STAGES: [[usize; 5]; 7] = [
    [1, 3, 1, 1, 16],
    [2, 3, 2, 6, 24],
    [2, 5, 2, 6, 40],
    [3, 3, 2, 6, 80],
    [3, 5, 1, 6, 112],
    [4, 5, 2, 6, 192],
    [1, 3, 1, 6, 320],
];
const EPS: f32 = 1e-3;

fn lite0(b: &mut Builder, x: NodeId, classes: usize) -> Result<NodeId, GraphError> {
    let x = conv(b, "conv_stem", x, 32, 3, 2, 1)?;
    let mut x = b.batch_norm("bn1", x, EPS, Some(Relu6))?;
    x = b.module("blocks", |b| {
        for (stage, [repeats, kernel, stride, expansion, out]) in STAGES.into_iter().enumerate() {
            x = b.module(&stage.to_string(), |b| {
                for i in 0..repeats {
                    let stride = if i == 0 { stride } else { 1 };
                    x = b.module(&i.to_string(), |b| block(b, x, kernel, stride, expansion, out))?;
                }
                Ok(x)
            })?;
        }
        Ok(x)
    })?;
    let x = conv(b, "conv_head", x, 1280, 1, 1, 1)?;
    let x = b.batch_norm("bn2", x, EPS, Some(Relu6))?;
    let x = b.layer("global_pool", x, Op::Mean)?;
    b.linear("classifier", x, classes)
}

/// An inverted residual; without expansion the first 1×1 convolution is missing, and names move up.
fn block(
    b: &mut Builder,
    x: NodeId,
    kernel: usize,
    stride: usize,
    expansion: usize,
    out: usize,
) -> Result<NodeId, GraphError> {
    let input = b.graph.shape(x)[1];
    let hidden = input * expansion;
    let names = if expansion > 1 { ["bn2", "conv_pwl", "bn3"] } else { ["bn1", "conv_pw", "bn2"] };
    let mut y = x;
    if expansion > 1 {
        y = conv(b, "conv_pw", y, hidden, 1, 1, 1)?;
        y = b.batch_norm("bn1", y, EPS, Some(Relu6))?;
    }
    y = conv(b, "conv_dw", y, hidden, kernel, stride, hidden)?;
    y = b.batch_norm(names[0], y, EPS, Some(Relu6))?;
    y = conv(b, names[1], y, out, 1, 1, 1)?;
    y = b.batch_norm(names[2], y, EPS, None)?;
    if stride == 1 && input == out { b.op(Op::Add, &[x, y]) } else { Ok(y) }
}

fn conv(
    b: &mut Builder,
    name: &str,
    x: NodeId,
    out: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
) -> Result<NodeId, GraphError> {
    let [_, _, h, w] = b.graph.shape(x);
    b.conv(name, x, out, Window::same(kernel, stride, [h, w]), groups, false)
}
