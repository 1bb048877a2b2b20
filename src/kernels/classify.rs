//! `select.wgsl`, `seed.wgsl` and `class_outer.wgsl`: the choice of classes and the start of the backward pass.

use super::context::Context;
use super::dispatch::Dispatch;
use super::texel::{blocks, texels};

/// Records of the requested or most probable classes.
pub fn select(cx: &Context) -> Dispatch {
    let [n, classes, ..] = cx.input(0);
    let requests = cx.input(1)[1];
    let wide = cx.profile.wide;
    cx.dispatch(
        "select",
        &[("WORKGROUP", wide), ("LANES", wide)],
        [classes as u32, requests as u32],
        cx.plainly(None),
        n,
    )
}

/// One-hot gradients of the logits.
pub fn seed(cx: &Context, requests: usize, maps: usize) -> Dispatch {
    let count = texels(cx.shape());
    let params = [count, blocks(cx.shape()[1]), requests, maps].map(|v| v as u32);
    cx.elementwise("seed", &[], params, None, count)
}

/// Weights times the gradient of the explained class.
pub fn class_outer(cx: &Context, requests: usize, maps: usize) -> Dispatch {
    let ([_, c, h, w], [_, classes, ..]) = (cx.shape(), cx.input(1));
    let count = texels(cx.shape());
    let params = [count, blocks(c), h * w, blocks(classes), requests, maps].map(|v| v as u32);
    cx.elementwise("class_outer", &[], params, None, count)
}
