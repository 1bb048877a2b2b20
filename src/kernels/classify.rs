//! `select.wgsl` and `seed.wgsl`: the choice of classes, and where the backward pass begins.

use super::{Context, Dispatch, blocks, texels};

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
