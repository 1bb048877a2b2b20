//! Networks that compute something else in transformers than in torchvision and timm, with transformers' names. Those that
//! only have other names there are in `recognise/dialects.rs`.
//!
//! MobileNetV2: Sandler et al., arXiv 1801.04381, table 2, with TensorFlow's padding and epsilon. Widths come from the
//! tensors, since there are several depth multipliers.

use super::{Architecture, Library};
use crate::graph::Activation::Relu6;
use crate::graph::{Builder, GraphError, NodeId, Op, Window};

pub const ROWS: &[Architecture] = &[Architecture {
    default_layer: "conv_1x1",
    family: true,
    needs: &[
        ("tf_padding", "true"),
        ("layer_norm_eps", "0.001"),
        ("hidden_act", "relu6"),
        ("first_layer_is_expansion", "true"),
        ("output_stride", "32"),
    ],
    ..Architecture::new("transformers_mobilenet_v2", Library::Transformers, "classifier", mobilenet_v2)
}];

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
