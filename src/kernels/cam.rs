//! The Grad-CAM tail on whole maps: `weighted_sum.wgsl`, `relu.wgsl`, `min_max.wgsl`, `rescale.wgsl` and
//! `resize.wgsl`. The mean of the gradients is `reduce.wgsl`.

use super::{Context, Dispatch, blocks, texels};

/// `Σ_c weights · a`.
pub fn weighted_sum(cx: &Context) -> Dispatch {
    let [n, c, ..] = cx.input(0);
    let [m, _, h, w] = cx.shape();
    let params = [m * h * w, h * w, blocks(c), m / n, c].map(|v| v as u32);
    cx.cooperative("weighted_sum", &[], params, None, m * h * w)
}

/// `max(x, 0)`.
pub fn relu(cx: &Context) -> Dispatch {
    let count = texels(cx.shape());
    cx.elementwise("relu", &[], [count as u32], None, count)
}

/// Range of each map.
pub fn min_max(cx: &Context) -> Dispatch {
    let [m, _, h, w] = cx.input(0);
    let wide = cx.profile.wide;
    cx.dispatch("min_max", &[("WORKGROUP", wide), ("LANES", wide)], [(h * w) as u32], cx.plainly(None), m)
}

/// Each map into 0..1.
pub fn rescale(cx: &Context) -> Dispatch {
    let [m, _, h, w] = cx.shape();
    cx.elementwise("rescale", &[], [(m * h * w) as u32, (h * w) as u32], None, m * h * w)
}

/// Bilinear resize.
pub fn resize(cx: &Context) -> Dispatch {
    let [_, _, h, w] = cx.input(0);
    let [m, _, oh, ow] = cx.shape();
    let params = [w, h, ow, oh, m * oh * ow, 0].map(|v| v as u32);
    cx.elementwise("resize", &[], params, None, m * oh * ow)
}
