//! Which nodes a kernel computes besides its own: what it absorbs after it, and before it.

use super::context::Kernel;
use super::conv::{self, separable};
use super::epilogue::{Epilogue, Extra};
use super::profile::Profile;
use super::prologue::Prologue;
use crate::graph::{Activation, Conv2d, Graph, NodeId, Op, PoolKind, Window};

impl Epilogue {
    /// The epilogue with the node `next`, which alone reads the value so far, if the kernel of `id` can absorb it.
    pub fn absorb(self, graph: &Graph, profile: &Profile, id: NodeId, next: NodeId) -> Option<Self> {
        let (kernel, node) = (&graph.nodes[id].op, &graph.nodes[next]);
        let joins = matches!(kernel, Op::Conv2d(_) | Op::Conv2dGrad { .. });
        let slopes = joins || matches!(kernel, Op::MeanGrad { .. });
        let activates = joins || matches!(kernel, Op::ScaleShift { .. } | Op::Linear(_));
        let free = self.activation.is_none() && !self.pooled && !matches!(self.extra, Some(Extra::Slope(..)));
        let value = Self { value: next, ..self };
        match node.op {
            Op::Activate(f) if activates && free => Some(Self { activation: Some(f), ..value }),
            Op::Add if joins && free && self.extra.is_none() => {
                let other = if node.inputs[0] == self.value { node.inputs[1] } else { node.inputs[0] };
                (other != self.value).then_some(Self { extra: Some(Extra::Add(other)), ..value })
            }
            Op::ActivateGrad(f) if slopes && free && self.extra.is_none() && node.inputs[0] == self.value => {
                // Several maps of an image share what was saved; the epilogue reads texel for texel.
                let saved = node.inputs[1];
                let alike = saved != self.value && graph.shape(saved) == graph.shape(next);
                alike.then_some(Self { extra: Some(Extra::Slope(f, saved)), ..value })
            }
            Op::Pool2d(ref pool) if self.extra.is_none() && !self.pooled => {
                let [_, _, h, w] = graph.shape(self.value);
                let out = graph.shape(next);
                let halves = pool.kind == PoolKind::Max && pool.window == Window::square(2, 2, 0);
                let quartered = halves && out[2..] == [h / 2, w / 2] && conv::is_winograd(graph, profile, id);
                // `conv_pool` applies the activation to the greatest of sums.
                let grows = self.activation.is_none_or(Activation::grows);
                let pooled = quartered || grows && conv::pools(graph, profile, id, pool, out);
                pooled.then_some(Self { pooled, ..value })
            }
            // The end of the tail, in numbers of one channel.
            Op::Rescale { positive: false } if matches!(kernel, Op::Resize { .. }) && self.value == id => {
                let span = node.inputs[1];
                (node.inputs[0] == id && span != id).then_some(Self { extra: Some(Extra::Span(span)), ..value })
            }
            Op::Unpack if matches!(kernel, Op::Rescale { .. } | Op::Resize { .. }) => Some(value),
            _ => None,
        }
    }
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
}

/// Whether a convolution of so many channels has the kernel of 1×1 ones: one from a single channel to a single channel is
/// computed as a depthwise one.
fn is_product(conv: &Conv2d, input: usize) -> bool {
    conv.is_pointwise() && !conv.is_depthwise(input)
}
