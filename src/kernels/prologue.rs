//! What a kernel does to its input on the way in, `shared/prologue.wgsl`: the node before its own that it absorbs.

use super::activation::code;
use super::constant::{Constant, Packing};
use super::conv::Taps;
use super::{Epilogue, Operand, Profile, cam, separable};
use crate::graph::{Activation, Graph, NodeId, Op, Window};

/// A node that a kernel computes for each of its loads, instead of reading what another kernel has stored.
#[derive(Clone, Copy, Debug)]
pub struct Prologue {
    /// A batch norm, a gate, or a depthwise convolution; before a resize a rescaling.
    pub node: NodeId,
    /// Applied after it.
    activation: Option<Activation>,
}

impl Prologue {
    /// Node `id` with its epilogue as the prologue of `next`, which alone reads its value, if the kernel of `next` can
    /// absorb it: a 1×1 convolution, which loads a pixel a few times at most and has no padding, or a resize of a small map.
    pub fn new(graph: &Graph, profile: &Profile, id: NodeId, epilogue: &Epilogue, next: NodeId) -> Option<Self> {
        let plain = Window::square(1, 1, 0);
        let able = matches!(&graph.nodes[next].op, Op::Conv2d(conv) if conv.window == plain && conv.groups == 1)
            && separable::depthwise(graph, next).is_none(); // as one from a single channel to a single channel is
        let resizes = matches!(graph.nodes[next].op, Op::Resize { .. });
        let ready = match graph.nodes[id].op {
            Op::Rescale { .. } => return resizes.then_some(Self { node: id, activation: None }),
            Op::ScaleShift { .. } => epilogue.extra.is_none(),
            // Several maps may share an image's gate in a backward pass, where no convolution follows.
            Op::Gate => epilogue.value == id && graph.shape(graph.nodes[id].inputs[1])[0] == graph.shape(id)[0],
            Op::Conv2d(_) => {
                let fits = separable::tile(profile, graph.shape(next)).is_some();
                fits && separable::depthwise(graph, id).is_some() && epilogue.extra.is_none()
            }
            _ => false,
        };
        (able && ready).then_some(Self { node: id, activation: epilogue.activation })
    }

    /// What the kernel reads instead of the node's value.
    pub fn input(&self, graph: &Graph) -> NodeId {
        graph.nodes[self.node].inputs[0]
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
