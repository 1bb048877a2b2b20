//! `contract.wgsl`, `softmax.wgsl` and `softmax_grad.wgsl`: products of matrices of activations, and attention's softmax.

use super::context::Context;
use super::dispatch::Dispatch;
use super::texel::{blocks, texels};
use crate::graph::{Contract, Form};

/// The product of two matrices in each group of channels.
pub fn contract(cx: &Context, Contract { form, groups }: Contract) -> Dispatch {
    let ([na, ca, ha, wa], [nb, cb, hb, wb], [n, c, h, w]) = (cx.input(0), cx.input(1), cx.shape());
    let count = texels(cx.shape());
    let (name, terms) = match form {
        Form::Channels => ("CHANNELS", ca / groups),
        Form::Across => ("ACROSS", ca / groups),
        Form::Pixels(_) => ("PIXELS", ha * wa),
    };
    let a = [blocks(ca), ha * wa, ca / groups, n / na];
    let b = [blocks(cb), hb * wb, cb / groups, n / nb];
    let y = [count, terms, blocks(c), h * w, c / groups, c];
    let params: Vec<u32> = y.into_iter().chain(a).chain(b).map(|v| v as u32).collect();
    let params: [u32; 14] = std::array::from_fn(|i| params[i]);
    let mut defines = vec![(name, 1)];
    if form == Form::Channels && (ca / groups).is_multiple_of(4) {
        defines.push(("TEXELS", 1));
    }
    if form != Form::Channels && (c / groups).is_multiple_of(4) {
        defines.push(("ALIKE", 1));
    }
    cx.elementwise("contract", &defines, params, None, count)
}

/// The softmax over the pixels of each channel.
pub fn softmax(cx: &Context) -> Dispatch {
    let [n, c, h, w] = cx.shape();
    let planes = n * blocks(c);
    cx.cooperative("softmax", &[], [planes, h * w].map(|v| v as u32), None, planes)
}

/// The softmax's gradient.
pub fn softmax_grad(cx: &Context) -> Dispatch {
    let [m, c, h, w] = cx.shape();
    let planes = m * blocks(c);
    let params = [planes, h * w, blocks(c), m / cx.input(1)[0]].map(|v| v as u32);
    cx.cooperative("softmax_grad", &[], params, None, planes)
}
