//! `linear.wgsl`, `reduce.wgsl` and `spread.wgsl`: fully connected layers, and means over space.

use super::constant::{Constant, Packing};
use super::{Context, Dispatch, blocks, texels};
use crate::graph::Linear;

/// Images that share one load of the weights at most.
const MAX_IMAGES: usize = 8;

/// `y = w · x + b`.
pub fn forward(cx: &Context, linear: &Linear) -> Vec<Dispatch> {
    let [_, c, h, w] = cx.input(0);
    kernel(cx, linear, [c, h, w], false)
}

/// `dx = wᵀ · dy`.
pub fn grad(cx: &Context, linear: &Linear, input: [usize; 3]) -> Vec<Dispatch> {
    kernel(cx, linear, input, true)
}

fn kernel(cx: &Context, linear: &Linear, input: [usize; 3], gradient: bool) -> Vec<Dispatch> {
    let n = cx.shape()[0];
    let (from, to) = (texels(cx.input(0)) / n, texels(cx.shape()) / n);
    let packing = Packing::Linear { out: linear.out_features, input, gradient };
    let bias = if gradient { None } else { linear.bias };
    let images = n.div_ceil(n.div_ceil(MAX_IMAGES));
    let piece = |c: Constant| {
        let params = [from, c.rows.len(), n, c.rows.start, to].map(|v| v as u32);
        let outputs = n.div_ceil(images) * c.rows.len();
        let defines = [cx.epilogue(), vec![("IMAGES", images as u32)]].concat();
        cx.cooperative("linear", &defines, params, Some(c), outputs)
    };
    Constant::pieces(linear.weight, bias, packing).into_iter().map(piece).collect()
}

/// Mean over space.
pub fn mean(cx: &Context) -> Dispatch {
    let [n, c, h, w] = cx.input(0);
    let planes = n * blocks(c);
    cx.cooperative("reduce", &[], [planes as u32, (h * w) as u32], None, planes)
}

/// Gradient of the mean over space.
pub fn mean_grad(cx: &Context) -> Dispatch {
    let [_, _, h, w] = cx.shape();
    let count = texels(cx.shape());
    cx.elementwise("spread", &[], [count as u32, (h * w) as u32], None, count)
}
