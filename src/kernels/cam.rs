//! The Grad-CAM tail on whole maps: `weighted_sum.wgsl`, `min_max.wgsl`, `rescale.wgsl` and `resize.wgsl`. The mean of the gradients is `reduce.wgsl`.

use super::{Context, Dispatch, Operand, blocks};

/// `Σ_c weights · a`.
pub fn weighted_sum(cx: &Context) -> Dispatch {
    let [n, c, ..] = cx.input(0);
    let [m, _, h, w] = cx.shape();
    let params = [m * h * w, h * w, blocks(c), m / n, c].map(|v| v as u32);
    cx.cooperative("weighted_sum", &[], params, None, m * h * w)
}

/// Range of each map.
pub fn min_max(cx: &Context) -> Dispatch {
    let [m, _, h, w] = cx.input(0);
    let wide = cx.profile.wide;
    cx.dispatch("min_max", &[("WORKGROUP", wide), ("LANES", wide)], [(h * w) as u32], cx.plainly(None), m)
}

/// Each map into 0..1, as texels or as plain numbers.
pub fn rescale(cx: &Context, positive: bool) -> Dispatch {
    let [m, _, h, w] = cx.shape();
    let mut defines = rescaling(positive);
    if cx.epilogue.value != cx.id {
        defines.push(("PLAIN", 1));
    }
    cx.elementwise("rescale", &defines, [(m * h * w) as u32, (h * w) as u32], None, m * h * w)
}

/// Bilinear resize, of values that are rescaled when they are read if that is the context's prologue.
pub fn resize(cx: &Context) -> Dispatch {
    let [_, _, h, w] = cx.input(0);
    let [m, _, oh, ow] = cx.shape();
    let params = [w, h, ow, oh, m * oh * ow, 0].map(|v| v as u32);
    let (ranges, defines) = cx.prologue.map(|p| p.operand(cx.graph)).unzip();
    let mut operands = vec![Operand::Read(cx.operand(0)), Operand::Write(cx.epilogue.value)];
    operands.extend(ranges);
    cx.independent(cx.profile.flat, "resize", &defines.unwrap_or_default(), params, operands, m * oh * ow)
}

/// Defines of `shared/rescale.wgsl`.
pub fn rescaling(positive: bool) -> Vec<(&'static str, u32)> {
    if positive { vec![("POSITIVE", 1)] } else { vec![] }
}
