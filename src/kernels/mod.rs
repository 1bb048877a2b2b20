//! One file for each shader or small family of them: parameters, constants' layout, dispatch size, variants.
//! This room knows graphs and numbers, and no GPU library.

mod activation;
mod cam;
mod channels;
mod classify;
mod constant;
mod conv;
mod epilogue;
mod layout;
mod linear;
mod norm;
mod overlay;
mod pointwise;
mod pool;
pub mod preprocess;
mod profile;
mod prologue;
mod separable;
mod team;
mod tile;
mod tuned;
mod winograd;

pub use constant::{Channels, Constant, Packing, Texel};
pub use conv::Taps;
pub use epilogue::{Epilogue, Extra};
pub use layout::{numbers_of, texels_of};
pub use profile::Profile;
pub use prologue::Prologue;
pub use team::Team;
pub use tile::{Costs, Product, Tile};
pub use tuned::{Class, Tuned};

use bytemuck::Pod;

use crate::graph::{Graph, NodeId, Op, Shape};

/// Texels of a texture's row at most; `shared/read.wgsl` and `shared/write.wgsl` take an index apart by it.
pub const ROW: usize = 4096;

/// What a dispatch binds, in the order of its bindings from 1 on. Values past the graph's nodes are scratch.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A value.
    Read(NodeId),
    /// Trained numbers.
    Constant(Constant),
    /// The value that the dispatch makes.
    Write(NodeId),
}

/// One run of one shader.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The node that it computes, or a part of it.
    pub node: NodeId,
    /// The nodes before it that it computes too.
    pub before: Vec<NodeId>,
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
    /// The product that was cut into register tiles, of the kernels that have them.
    pub product: Option<Product>,
}

/// Where a value lies: in the memory of its own, or among the channels of a wider one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The value whose memory it is.
    pub value: NodeId,
    /// Channel blocks of an image there.
    pub blocks: usize,
    /// The first of them that is its own.
    pub first: usize,
}

impl Place {
    /// In memory of its own.
    pub fn whole(value: NodeId, blocks: usize) -> Self {
        Self { value, blocks, first: 0 }
    }

    /// For a shader.
    fn numbers(&self) -> [u32; 2] {
        [self.blocks as u32, self.first as u32]
    }
}

/// Channel blocks of four.
pub fn blocks(channels: usize) -> usize {
    channels.div_ceil(4)
}

/// Texels of a feature map.
pub fn texels([n, c, h, w]: Shape) -> usize {
    n * blocks(c) * h * w
}

/// A node with what its kernel computes besides.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// The node.
    pub node: NodeId,
    /// Before it.
    pub prologue: Option<Prologue>,
    /// After it.
    pub epilogue: Epilogue,
}

/// The dispatches of a kernel. Large weights make several, each for some of the outputs. Values with a place lie inside
/// others. The shapes of values between dispatches are appended to `scratch`.
pub fn lower(
    profile: &Profile,
    graph: &Graph,
    kernel: Kernel,
    places: &[Option<Place>],
    scratch: &mut Vec<Shape>,
) -> Vec<Dispatch> {
    let Kernel { node: id, prologue, epilogue } = kernel;
    let cx = &mut Context { profile, graph, id, prologue, epilogue, places, scratch };
    vec![match &graph.nodes[id].op {
        Op::Input => unreachable!("inputs are given, not computed"),
        Op::Normalise { mean, std } => layout::normalise(cx, *mean, *std),
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
        Op::Mean => linear::mean(cx),
        Op::MeanGrad { .. } => linear::mean_grad(cx),
        Op::Linear(linear) => return linear::forward(cx, linear),
        Op::LinearGrad { linear, input } => return linear::grad(cx, linear, *input),
        Op::ClassWeights(class) => return linear::class_weights(cx, class),
        Op::ClassOuter { requests, maps } => classify::class_outer(cx, *requests, *maps),
        Op::Select => classify::select(cx),
        Op::Seed { requests, maps, .. } => classify::seed(cx, *requests, *maps),
        Op::WeightedSum => cam::weighted_sum(cx),
        Op::MinMax => cam::min_max(cx),
        Op::ResizedRange { to } => cam::resized_range(cx, *to),
        Op::Rescale { positive } => cam::rescale(cx, *positive),
        Op::Resize { .. } => cam::resize(cx),
        Op::Overlay(overlay) => overlay::draw(cx, overlay),
    }]
}

/// What a kernel's lowering looks at.
struct Context<'a> {
    profile: &'a Profile,
    graph: &'a Graph,
    id: NodeId,
    prologue: Option<Prologue>,
    epilogue: Epilogue,
    places: &'a [Option<Place>],
    scratch: &'a mut Vec<Shape>,
}

impl Context<'_> {
    fn shape(&self) -> Shape {
        self.graph.shape(self.id)
    }

    /// Shape of operand `i`.
    fn input(&self, i: usize) -> Shape {
        self.graph.shape(self.operand(i))
    }

    /// Operand `i`; a prologue's if there is one.
    fn operand(&self, i: usize) -> NodeId {
        self.prologue.map_or_else(|| self.graph.nodes[self.id].inputs[i], |prologue| prologue.input(self.graph))
    }

    /// A value between two dispatches of the node.
    fn scratch(&mut self, shape: Shape) -> NodeId {
        self.scratch.push(shape);
        self.graph.nodes.len() + self.scratch.len() - 1
    }

    /// Defines of the epilogue, and what it reads.
    fn epilogue(&self) -> (Vec<(&'static str, u32)>, Option<Operand>) {
        (self.epilogue.defines(), self.epilogue.extra.map(|extra| Operand::Read(extra.node())))
    }

    /// Where a value lies.
    fn place(&self, value: NodeId) -> Place {
        self.places[value].unwrap_or_else(|| Place::whole(value, blocks(self.graph.shape(value)[1])))
    }

    /// A dispatch.
    fn dispatch(
        &self,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        operands: Vec<Operand>,
        groups: usize,
    ) -> Dispatch {
        let mut all = vec![];
        if self.profile.texture {
            all.push(("TEXTURE", 1));
        }
        if self.profile.half && operands.iter().any(|o| matches!(o, Operand::Constant(c) if c.halves())) {
            all.push(("HALF", 1));
        }
        all.extend_from_slice(defines);
        let params = bytemuck::bytes_of(&params).to_vec();
        let before = self.prologue.into_iter().flat_map(Prologue::nodes).collect();
        let groups = groups as u32;
        Dispatch { node: self.id, before, shader, defines: all, params, operands, groups, product: None }
    }

    /// The node's operands, then `constant`, then its value.
    fn plainly(&self, constant: Option<Constant>) -> Vec<Operand> {
        let reads = self.graph.nodes[self.id].inputs.iter().map(|&i| Operand::Read(self.place(i).value));
        let write = Operand::Write(self.place(self.epilogue.value).value);
        reads.chain(constant.map(Operand::Constant)).chain([write]).collect()
    }

    /// A dispatch of independent invocations, so many in a workgroup.
    fn independent(
        &self,
        workgroup: u32,
        shader: &'static str,
        defines: &[(&'static str, u32)],
        params: impl Pod,
        operands: Vec<Operand>,
        invocations: usize,
    ) -> Dispatch {
        let all = [&[("WORKGROUP", workgroup)], defines].concat();
        self.dispatch(shader, &all, params, operands, invocations.div_ceil(workgroup as usize))
    }

    /// A dispatch of so many tiles: register tiles by the first of the shaders, macro tiles by the second.
    fn tiled(
        &self,
        tile: &Tile,
        [register, shared]: [&'static str; 2],
        defines: &[(&'static str, u32)],
        params: impl Pod,
        operands: Vec<Operand>,
        tiles: usize,
    ) -> Dispatch {
        let (shader, workgroup) = match tile.team {
            Some(team) => (shared, team.invocations(tile)),
            None => (register, self.profile.tiled),
        };
        let invocations = tiles * tile.invocations() as usize;
        self.independent(workgroup, shader, defines, params, operands, invocations)
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
        self.independent(self.profile.flat, shader, defines, params, self.plainly(constant), invocations)
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
        self.dispatch(shader, &all, params, self.plainly(constant), outputs.div_ceil(per_group as usize))
    }
}
