//! The kernels. Each file covers one shader or a small family: its parameters, its constants' layout, its dispatch size and
//! its variants. This module depends on the graph and on no GPU library.

mod activation;
mod cam;
mod channels;
mod classify;
mod constant;
mod context;
mod conv;
mod dispatch;
mod epilogue;
mod fusion;
mod geometry;
mod layout;
mod linear;
mod masks;
mod matrix;
mod moves;
mod norm;
mod overlay;
mod pass;
mod pool;
pub mod preprocess;
mod profile;
mod prologue;
mod texel;
mod tiling;

pub use constant::{Channels, Constant, Packing};
pub use context::Kernel;
pub use dispatch::{Dispatch, Operand, View};
pub use epilogue::{Epilogue, Extra};
pub use layout::{numbers_of, texels_of};
pub use pass::Taps;
pub use profile::Profile;
pub use prologue::Prologue;
pub use texel::{ROW, Texel, blocks, texels};
pub use tiling::{Class, Costs, Factors, Product, Team, Tile, Tuned};

use context::Context;

use crate::graph::{Graph, Op, Shape};

/// Lowers a kernel to its dispatches. A large weight is split over several, each for some of the outputs. `views` says which
/// values lie inside others. The shapes of values between two dispatches are appended to `scratch`.
pub fn lower(
    profile: &Profile,
    graph: &Graph,
    kernel: Kernel,
    views: &[Option<View>],
    scratch: &mut Vec<Shape>,
) -> Vec<Dispatch> {
    let Kernel { node: id, prologue, epilogue } = kernel;
    let cx = &mut Context { profile, graph, id, prologue, epilogue, views, scratch };
    vec![match &graph.nodes[id].op {
        Op::Input => unreachable!("inputs are given, not computed"),
        Op::Normalise { mean, std } => layout::normalise(cx, mean, std),
        Op::Pack => layout::pack(cx),
        Op::Unpack => layout::unpack(cx),
        Op::Conv2d(conv) => return conv::forward(cx, conv),
        Op::Conv2dGrad { conv, .. } => return conv::grad(cx, conv),
        Op::ScaleShift { scale, shift } => activation::scale_shift(cx, *scale, *shift),
        Op::Activate(f) => activation::forward(cx, *f),
        Op::ActivateGrad(f) => activation::grad(cx, *f),
        Op::Add => activation::add(cx),
        Op::Concat => return channels::concat(cx),
        Op::Slice { start, .. } => channels::slice(cx, *start),
        Op::SliceGrad { start, .. } => channels::slice_grad(cx, *start),
        Op::Shuffle { groups } => channels::shuffle(cx, *groups),
        Op::Gate => channels::gate(cx),
        Op::GateGrad => channels::gate_grad(cx),
        Op::LayerNorm(norm) => norm::forward(cx, norm),
        Op::LayerNormGrad(norm) => norm::grad(cx, norm),
        Op::AdaptivePool { .. } => pool::adaptive(cx),
        Op::AdaptivePoolGrad { .. } => pool::adaptive_grad(cx),
        Op::Pool2d(pool) => pool::forward(cx, pool),
        Op::Pool2dGrad(pool) => pool::grad(cx, pool),
        Op::Constant { values, shape } => moves::constant(cx, *values, *shape),
        Op::Rearrange(rearrange) => moves::rearrange(cx, rearrange),
        Op::Broadcast(op) => moves::broadcast(cx, *op),
        Op::Contract(contract) => matrix::contract(cx, *contract),
        Op::Softmax => matrix::softmax(cx),
        Op::SoftmaxGrad => matrix::softmax_grad(cx),
        Op::Mean => linear::mean(cx),
        Op::MeanGrad { .. } => linear::mean_grad(cx),
        Op::Linear(linear) => return linear::forward(cx, linear),
        Op::LinearGrad { linear, input } => return linear::grad(cx, linear, *input),
        Op::ClassWeights(class) => return linear::class_weights(cx, class),
        Op::ClassOuter { requests, maps } => classify::class_outer(cx, *requests, *maps),
        Op::Select => classify::select(cx),
        Op::Seed { requests, maps, .. } => classify::seed(cx, *requests, *maps),
        Op::WeightedSum(term) => cam::weighted_sum(cx, *term),
        Op::ChannelWeights { weighing, eps } => cam::channel_weights(cx, *weighing, *eps),
        Op::PlaneMax => cam::plane_max(cx),
        Op::Magnitude => cam::magnitude(cx),
        Op::Eigenvector { root, indefinite } => cam::eigenvector(cx, *root, *indefinite),
        Op::Orient => cam::orient(cx),
        Op::Unfold => moves::unfold(cx),
        Op::Columns { count } => moves::columns(cx, *count),
        Op::Vary { omission, first, count } => moves::vary(cx, *omission, *first, *count),
        Op::Masks { mask, first, .. } => masks::masks(cx, *mask, *first),
        Op::Mirror => moves::mirror(cx),
        Op::Stack => return cam::stack(cx),
        Op::MinMax => cam::min_max(cx),
        Op::ResizedRange { to } => cam::resized_range(cx, *to),
        Op::Rescale(scaling) => cam::rescale(cx, *scaling),
        Op::Noise { key, deviation } => activation::noise(cx, *key, *deviation),
        Op::Percentile { part } => cam::percentile(cx, *part),
        Op::Resize { by, .. } => cam::resize(cx, *by),
        Op::Overlay(overlay) => overlay::draw(cx, overlay),
    }]
}
