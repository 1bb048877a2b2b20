//! What a kernel does to its input on the way in, `shared/prologue.wgsl`: the node before its own that it absorbs.

use super::activation::code;
use super::constant::{Constant, Packing};
use super::conv::Taps;
use super::{Epilogue, Kernel, Operand, Profile, Tile, cam, separable};
use crate::graph::{Activation, Conv2d, Graph, NodeId, Op};

/// A node that a kernel computes for each of its loads, instead of reading what another kernel has stored.
#[derive(Clone, Copy, Debug)]
pub struct Prologue {
    /// A batch norm, a gate, or a depthwise convolution; before a resize a rescaling.
    pub node: NodeId,
    /// Applied after it.
    activation: Option<Activation>,
    /// In which a depthwise convolution is made, with the 1×1 convolution after it.
    tile: Option<Tile>,
    /// The 1×1 convolution before a depthwise one, and the activation between them, if the kernel absorbs these too.
    expansion: Option<(NodeId, Option<Activation>)>,
}

impl Prologue {
    /// Node `id` with its epilogue as the prologue of `next`, which alone reads its value, if the kernel of `next` can
    /// absorb it: a 1×1 convolution, which loads a pixel a few times at most and has no padding, or a resize of a small map
    /// and its range.
    pub fn new(graph: &Graph, profile: &Profile, id: NodeId, epilogue: &Epilogue, next: NodeId) -> Option<Self> {
        let alone = Self { node: id, activation: epilogue.activation, tile: None, expansion: None };
        let channels = |id: NodeId| graph.shape(graph.nodes[id].inputs[0])[1];
        let able = match &graph.nodes[next].op {
            Op::Conv2d(conv) => is_product(conv, channels(next)),
            Op::Resize { .. } | Op::ResizedRange { .. } => {
                return matches!(graph.nodes[id].op, Op::Rescale { .. }).then_some(alone);
            }
            _ => false,
        };
        let mut tile = None;
        let ready = match &graph.nodes[id].op {
            Op::ScaleShift { .. } => epilogue.extra.is_none(),
            // Several maps may share an image's gate in a backward pass, where no convolution follows.
            Op::Gate => epilogue.value == id && graph.shape(graph.nodes[id].inputs[1])[0] == graph.shape(id)[0],
            Op::Conv2d(conv) if conv.is_depthwise(channels(id)) && epilogue.extra.is_none() => {
                tile = separable::tile(profile, graph.shape(next));
                tile.is_some()
            }
            _ => false,
        };
        (able && ready).then_some(Self { tile, ..alone })
    }

    /// The depthwise convolution that it is, and the tile for it.
    pub fn depthwise(self, graph: &Graph) -> Option<(&Conv2d, Tile)> {
        match (&graph.nodes[self.node].op, self.tile) {
            (Op::Conv2d(conv), Some(tile)) => Some((conv, tile)),
            _ => None,
        }
    }

    /// A depthwise prologue of `next` with the 1×1 convolution of `kernel` before it, whose value it alone reads, if that pays.
    pub fn expanded(self, graph: &Graph, profile: &Profile, kernel: &Kernel, next: NodeId) -> Option<Self> {
        let (depthwise, tile) = self.depthwise(graph)?;
        let Op::Conv2d(conv) = &graph.nodes[kernel.node].op else { return None };
        let input = graph.shape(graph.nodes[kernel.node].inputs[0]);
        let alone = kernel.prologue.is_none() && kernel.epilogue.extra.is_none();
        let pays = is_product(conv, input[1])
            && alone
            && separable::expands(profile, input, depthwise, &tile, graph.shape(next));
        pays.then_some(Self { expansion: Some((kernel.node, kernel.epilogue.activation)), ..self })
    }

    /// The convolution before a depthwise one that the kernel computes too, and the code of the activation between them.
    pub fn expansion(self, graph: &Graph) -> Option<(&Conv2d, u32)> {
        let (node, activation) = self.expansion?;
        let Op::Conv2d(conv) = &graph.nodes[node].op else { return None };
        Some((conv, activation.map_or(0, code)))
    }

    /// The nodes that it computes, in their order.
    pub fn nodes(self) -> impl Iterator<Item = NodeId> {
        self.expansion.map(|(node, _)| node).into_iter().chain([self.node])
    }

    /// What the kernel reads instead of the node's value.
    pub fn input(&self, graph: &Graph) -> NodeId {
        let first = self.expansion.map_or(self.node, |(node, _)| node);
        graph.nodes[first].inputs[0]
    }

    /// Further operands of the kernel.
    pub fn operands(self) -> u32 {
        if self.expansion.is_some() { 2 } else { 1 }
    }

    /// Whether it differs from image to image.
    pub fn gates(&self, graph: &Graph) -> bool {
        graph.nodes[self.node].op == Op::Gate
    }

    /// The further operand, and the preprocessor's defines.
    pub fn operand(&self, graph: &Graph) -> (Operand, Vec<(&'static str, u32)>) {
        let channels = graph.shape(self.node)[1];
        let before = self.activation.map_or(0, code);
        match &graph.nodes[self.node].op {
            Op::ScaleShift { scale, shift } => {
                let constant = Constant::whole(*scale, *shift, Packing::Channels { channels });
                (Operand::Constant(constant), vec![("PROLOGUE", 1), ("BEFORE", before)])
            }
            Op::Conv2d(conv) => {
                let packing = Packing::Depthwise { channels, taps: Taps::all(conv.window.kernel) };
                (Operand::Constant(Constant::whole(conv.weight, conv.bias, packing)), vec![("BEFORE", before)])
            }
            Op::Rescale { positive } => {
                let defines = [&cam::rescaling(*positive)[..], &[("RESCALED", 1)]].concat();
                (Operand::Read(graph.nodes[self.node].inputs[1]), defines)
            }
            _ => (Operand::Read(graph.nodes[self.node].inputs[1]), vec![("PROLOGUE", 1), ("GATED", 1)]),
        }
    }
}

/// Whether a convolution of so many channels has the kernel of 1×1 ones: one from a single channel to a single channel is
/// computed as a depthwise one.
fn is_product(conv: &Conv2d, input: usize) -> bool {
    conv.is_pointwise() && !conv.is_depthwise(input)
}
