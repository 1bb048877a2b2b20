//! Networks that compute something else in transformers than in torchvision and timm, with transformers' names. Those that
//! only have other names there are in `recognise/dialects.rs`.
//!
//! MobileNetV2: Sandler et al., arXiv 1801.04381, table 2, with TensorFlow's padding and epsilon. Widths come from the
//! tensors, since there are several depth multipliers.
//!
//! EfficientNet: Tan & Le, arXiv 1905.11946, table 1, with Keras' padding. It is TensorFlow's at the network's own size, and
//! does not depend on the size.

use super::divisible::divisible;
use super::squeeze_excitation::squeeze_excitation;
use super::{Architecture, Library};
use crate::graph::Activation::{Relu6, Sigmoid, Silu};
use crate::graph::{Builder, GraphError, NodeId, Op, Window};

const fn row(name: &'static str, size: usize, build: super::Build) -> Architecture {
    let row = Architecture::new(name, Library::Transformers, "classifier", build);
    Architecture { size, family: true, ..row }
}

/// An EfficientNet, whose config lists the blocks with more padding.
macro_rules! efficientnet {
    ($name:literal, $size:literal, $width:literal, $depth:literal, $padded:literal, $blocks:expr) => {
        Architecture {
            default_layer: "encoder",
            needs: &[
                ("hidden_act", "swish"),
                ("batch_norm_eps", "0.001"),
                ("squeeze_expansion_ratio", "0.25"),
                ("strides", "[1,2,2,2,1,2,1]"),
                ("depthwise_padding", $padded),
            ],
            ..row($name, $size, |b, x, c| efficientnet(b, x, c, $width, $depth, &$blocks))
        }
    };
}

pub const ROWS: &[Architecture] = &[
    Architecture {
        default_layer: "conv_1x1",
        needs: &[
            ("tf_padding", "true"),
            ("layer_norm_eps", "0.001"),
            ("hidden_act", "relu6"),
            ("first_layer_is_expansion", "true"),
            ("output_stride", "32"),
        ],
        ..row("transformers_mobilenet_v2", 224, mobilenet_v2)
    },
    efficientnet!("transformers_efficientnet_b0", 224, 1.0, 1.0, "[]", []),
    efficientnet!("transformers_efficientnet_b1", 240, 1.0, 1.1, "[16]", [16]),
    efficientnet!("transformers_efficientnet_b2", 260, 1.1, 1.2, "[5,8,16]", [5, 8, 16]),
    efficientnet!("transformers_efficientnet_b3", 300, 1.2, 1.4, "[5,18]", [5, 18]),
    efficientnet!("transformers_efficientnet_b4", 380, 1.4, 1.8, "[6]", [6]),
    efficientnet!("transformers_efficientnet_b5", 456, 1.6, 2.2, "[13,27]", [13, 27]),
    efficientnet!("transformers_efficientnet_b6", 528, 1.8, 2.6, "[31]", [31]),
    efficientnet!("transformers_efficientnet_b7", 600, 2.0, 3.1, "[18]", [18]),
];

const EPS: f32 = 1e-3;
/// Stride and output channels of each block after the stem's.
const BLOCKS: [(usize, usize); 16] = [
    (2, 24),
    (1, 24),
    (2, 32),
    (1, 32),
    (1, 32),
    (2, 64),
    (1, 64),
    (1, 64),
    (1, 64),
    (1, 96),
    (1, 96),
    (1, 96),
    (2, 160),
    (1, 160),
    (1, 160),
    (1, 320),
];

fn mobilenet_v2(b: &mut Builder, x: NodeId, classes: usize) -> Result<NodeId, GraphError> {
    let mut x = b.module("conv_stem", |b| {
        let x = layer(b, "first_conv", x, 32, [3, 2], true)?;
        let x = layer(b, "conv_3x3", x, 0, [3, 1], true)?;
        layer(b, "reduce_1x1", x, 16, [1, 1], false)
    })?;
    for (i, (stride, out)) in BLOCKS.into_iter().enumerate() {
        x = b.module(&format!("layer.{i}"), |b| {
            let y = layer(b, "expand_1x1", x, 6 * b.channels(x), [1, 1], true)?;
            let y = layer(b, "conv_3x3", y, 0, [3, stride], true)?;
            let y = layer(b, "reduce_1x1", y, out, [1, 1], false)?;
            if stride == 1 && b.channels(y) == b.channels(x) { b.op(Op::Add, &[x, y]) } else { Ok(y) }
        })?;
    }
    let x = layer(b, "conv_1x1", x, 1280, [1, 1], true)?;
    let x = b.global_pool(Some("pooler"), x)?;
    b.classifier("classifier", x, classes)
}

/// A convolution of this kernel and stride, a norm, perhaps an activation. Without output channels it is depthwise. The
/// tensors' own number of output channels goes before the given one.
fn layer(
    b: &mut Builder,
    name: &str,
    x: NodeId,
    out: usize,
    [kernel, stride]: [usize; 2],
    activates: bool,
) -> Result<NodeId, GraphError> {
    b.module(name, |b| {
        let [_, c, h, w] = b.graph.shape(x);
        let groups = if out == 0 { c } else { 1 };
        let out = if out == 0 { c } else { b.shape_of("convolution.weight").map_or(out, |shape| shape[0]) };
        let x = b.conv("convolution", x, out, Window::same(kernel, stride, [h, w]), groups, false)?;
        let x = b.batch_norm("normalization", x, EPS, None)?;
        if activates { b.layer("activation", x, Op::Activate(Relu6)) } else { Ok(x) }
    })
}

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

/// An EfficientNet scaled by width and depth. The strided blocks of the numbers `padded` have padding on all sides.
fn efficientnet(
    b: &mut Builder,
    x: NodeId,
    classes: usize,
    width: f64,
    depth: f64,
    padded: &[usize],
) -> Result<NodeId, GraphError> {
    let scaled = |channels: usize| divisible(channels as f64 * width);
    let mut x = b.module("embeddings", |b| {
        let window = Window { pad_end: [1; 2], ..Window::square(3, 2, 0) };
        let x = b.conv("convolution", x, scaled(32), window, 1, false)?;
        let x = b.batch_norm("batchnorm", x, EPS, None)?;
        b.layer("activation", x, Op::Activate(Silu))
    })?;
    b.module("encoder", |b| {
        let mut number = 0;
        for [repeats, kernel, stride, expansion, out] in STAGES {
            for i in 0..(repeats as f64 * depth).ceil() as usize {
                let (stride, pad) = if i == 0 { (stride, kernel / 2) } else { (1, kernel / 2) };
                let start = if stride == 2 && !padded.contains(&number) { pad - 1 } else { pad };
                let window = Window { pad_start: [start; 2], ..Window::square(kernel, stride, pad) };
                x = b.module(&format!("blocks.{number}"), |b| block(b, x, window, expansion, scaled(out), i > 0))?;
                number += 1;
            }
        }
        x = b.conv("top_conv", x, scaled(1280), Window::square(1, 1, 0), 1, false)?;
        x = b.batch_norm("top_bn", x, EPS, None)?;
        b.layer("top_activation", x, Op::Activate(Silu))
    })
    .and_then(|x| {
        let x = b.global_pool(Some("pooler"), x)?;
        b.classifier("classifier", x, classes)
    })
}

fn block(
    b: &mut Builder,
    x: NodeId,
    window: Window,
    expansion: usize,
    out: usize,
    adds: bool,
) -> Result<NodeId, GraphError> {
    let input = b.channels(x);
    let hidden = input * expansion;
    let mut y = x;
    if expansion > 1 {
        y = b.module("expansion", |b| {
            let y = b.conv("expand_conv", y, hidden, Window::square(1, 1, 0), 1, false)?;
            let y = b.batch_norm("expand_bn", y, EPS, None)?;
            b.layer("expand_act", y, Op::Activate(Silu))
        })?;
    }
    y = b.module("depthwise_conv", |b| {
        let y = b.conv("depthwise_conv", y, hidden, window, hidden, false)?;
        let y = b.batch_norm("depthwise_norm", y, EPS, None)?;
        b.layer("depthwise_act", y, Op::Activate(Silu))
    })?;
    let names = ["reduce", "expand"];
    y = b.module("squeeze_excite", |b| squeeze_excitation(b, y, names, (input / 4).max(1), Silu, Sigmoid))?;
    b.module("projection", |b| {
        let y = b.conv("project_conv", y, out, Window::square(1, 1, 0), 1, false)?;
        let y = b.batch_norm("project_bn", y, EPS, None)?;
        if adds { b.op(Op::Add, &[y, x]) } else { Ok(y) }
    })
}
