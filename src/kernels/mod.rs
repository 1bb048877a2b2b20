//! One file for each shader or small family of them: parameters, constants' layout, dispatch size, variants.
//! This room knows graphs and numbers, and no GPU library.

mod activation;
mod cam;
mod channels;
mod classify;
mod constant;
mod conv;
mod layout;
mod linear;
mod norm;
mod overlay;
mod pool;
pub mod preprocess;
mod profile;

pub use constant::{Constant, Texel};
pub use profile::Profile;

use bytemuck::Pod;

use crate::graph::{Activation, Graph, NodeId, Op, Shape};

/// What a dispatch binds, in the order of its bindings from 1 on.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A node's value.
    Read(NodeId),
    /// Trained numbers.
    Constant(Constant),
    /// The value that the dispatch makes.
    Write(NodeId),
}

/// One run of one shader.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// File name of the shader.
    pub shader: &'static str,
    /// The preprocessor's defines.
    pub defines: Vec<(&'static str, u32)>,
    /// Content of the uniform block at binding 0.
    pub params: Vec<u8>,
    /// Bindings from 1 on.
    pub operands: Vec<Operand>,
    /// Number of workgroups, not yet folded to two dimensions.
    pub groups: u32,
}

/// Channel blocks of four.
pub fn blocks(channels: usize) -> usize {
    channels.div_ceil(4)
}

/// Texels of a feature map.
pub fn texels([n, c, h, w]: Shape) -> usize {
    n * blocks(c) * h * w
}

/// The dispatches that compute node `id`, or, with `fused`, the activation node that follows it. Large weights
/// make several, each for some of the outputs.
pub fn lower(profile: &Profile, graph: &Graph, id: NodeId, fused: Option<(Activation, NodeId)>) -> Vec<Dispatch> {
    let cx = Context { profile, graph, id, fused };
    vec![match &graph.nodes[id].op {
        Op::Input => unreachable!("inputs are given, not computed"),
        Op::Normalise { mean, std } => layout::normalise(&cx, *mean, *std),
        Op::Pack => layout::pack(&cx),
        Op::Unpack => layout::unpack(&cx),
        Op::Conv2d(conv) => return conv::forward(&cx, conv),
        Op::Conv2dGrad { conv, .. } => return conv::grad(&cx, conv),
        Op::ScaleShift { scale, shift } => activation::scale_shift(&cx, *scale, *shift),
        Op::Activate(f) => activation::forward(&cx, *f),
        Op::ActivateGrad(f) => activation::grad(&cx, *f),
        Op::Add => activation::add(&cx),
        Op::Concat => channels::concat(&cx),
        Op::Slice { start, .. } => channels::slice(&cx, *start),
        Op::SliceGrad { start, .. } => channels::slice_grad(&cx, *start),
        Op::Shuffle { groups } => channels::shuffle(&cx, *groups),
        Op::Gate => channels::gate(&cx),
        Op::GateGrad => channels::gate_grad(&cx),
        Op::LayerNorm(norm) => norm::forward(&cx, norm),
        Op::LayerNormGrad(norm) => norm::grad(&cx, norm),
        Op::AdaptivePool { .. } => pool::adaptive(&cx),
        Op::AdaptivePoolGrad { .. } => pool::adaptive_grad(&cx),
        Op::Pool2d(pool) => pool::forward(&cx, pool),
        Op::Pool2dGrad(pool) => pool::grad(&cx, pool),
        Op::Mean => linear::mean(&cx),
        Op::MeanGrad { .. } => linear::mean_grad(&cx),
        Op::Linear(linear) => return linear::forward(&cx, linear),
        Op::LinearGrad { linear, input } => return linear::grad(&cx, linear, *input),
        Op::Select => classify::select(&cx),
        Op::Seed { requests, maps, .. } => classify::seed(&cx, *requests, *maps),
        Op::WeightedSum => cam::weighted_sum(&cx),
        Op::ReluMap => cam::relu(&cx),
        Op::MinMax => cam::min_max(&cx),
        Op::Rescale => cam::rescale(&cx),
        Op::Resize { .. } => cam::resize(&cx),
        Op::Overlay(overlay) => overlay::draw(&cx, overlay),
    }]
}

/// What a kernel's lowering looks at.
struct Context<'a> {
    profile: &'a Profile,
    graph: &'a Graph,
    id: NodeId,
    fused: Option<(Activation, NodeId)>,
}

impl Context<'_> {
    fn shape(&self) -> Shape {
        self.graph.shape(self.id)
    }

    /// Shape of operand `i`.
    fn input(&self, i: usize) -> Shape {
        self.graph.shape(self.graph.nodes[self.id].inputs[i])
    }

    /// Code of the fused activation, or of none.
    fn activation(&self) -> u32 {
        self.fused.map_or(0, |(f, _)| activation::code(f))
    }

    /// A dispatch whose operands are the node's, then `constant`, then its value.
    fn dispatch(
        &self,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        constant: Option<Constant>,
        groups: usize,
    ) -> Dispatch {
        let reads = self.graph.nodes[self.id].inputs.iter().map(|&i| Operand::Read(i));
        let write = Operand::Write(self.fused.map_or(self.id, |(_, id)| id));
        let mut all = vec![];
        if self.profile.texture {
            all.push(("TEXTURE", 1));
        }
        all.extend_from_slice(defines);
        Dispatch {
            shader,
            defines: all,
            params: bytemuck::bytes_of(&params).to_vec(),
            operands: reads.chain(constant.map(Operand::Constant)).chain([write]).collect(),
            groups: groups as u32,
        }
    }

    /// A dispatch of independent light invocations.
    fn elementwise(
        &self,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        constant: Option<Constant>,
        invocations: usize,
    ) -> Dispatch {
        self.independent(self.profile.flat, shader, defines, params, constant, invocations)
    }

    /// A dispatch of independent invocations with a register tile each.
    fn tiled(
        &self,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        constant: Constant,
        invocations: usize,
    ) -> Dispatch {
        self.independent(self.profile.tiled, shader, defines, params, Some(constant), invocations)
    }

    fn independent(
        &self,
        workgroup: u32,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        constant: Option<Constant>,
        invocations: usize,
    ) -> Dispatch {
        let mut all = vec![("WORKGROUP", workgroup)];
        all.extend_from_slice(defines);
        self.dispatch(shader, &all, params, constant, invocations.div_ceil(workgroup as usize))
    }

    /// A dispatch in which several invocations share each of `outputs`.
    fn cooperative(
        &self,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        constant: Option<Constant>,
        outputs: usize,
    ) -> Dispatch {
        let [lanes, per_group] = self.profile.lanes;
        let mut all = vec![("WORKGROUP", lanes * per_group), ("LANES", lanes), ("OUTPUTS", per_group)];
        if lanes > 1 {
            all.push(("COOPERATIVE", 1));
        }
        all.extend_from_slice(defines);
        self.dispatch(shader, &all, params, constant, outputs.div_ceil(per_group as usize))
    }
}
