//! Decides which nodes a kernel absorbs: those after its own as its epilogue, those before it as its prologue.

use super::context::Kernel;
use super::conv::{self, separable};
use super::epilogue::{Epilogue, Extra};
use super::profile::Profile;
use super::prologue::Prologue;
use crate::graph::{Activation, Conv2d, Graph, NodeId, Op, PoolKind, Scaling, Window};

impl Epilogue {
    /// The epilogue extended by `next`, if the kernel of `id` can absorb that node. `next` must be the only reader of the value
    /// so far.
    pub fn absorb(self, graph: &Graph, profile: &Profile, id: NodeId, next: NodeId) -> Option<Self> {
        let (kernel, node) = (&graph.nodes[id].op, &graph.nodes[next]);
        let joins = matches!(kernel, Op::Conv2d(_) | Op::Conv2dGrad { .. });
        let slopes = joins || matches!(kernel, Op::MeanGrad { .. });
        let activates = joins || matches!(kernel, Op::ScaleShift { .. } | Op::Linear(_));
        let free = self.activation.is_none() && !self.pooled && !matches!(self.extra, Some(Extra::Slope(..)));
        let value = Self { value: next, ..self };
        match node.op {
            Op::Activate(f) if activates && free && f.is_tame() => Some(Self { activation: Some(f), ..value }),
            Op::Add if joins && free && self.extra.is_none() => {
                let other = if node.inputs[0] == self.value { node.inputs[1] } else { node.inputs[0] };
                (other != self.value).then_some(Self { extra: Some(Extra::Add(other)), ..value })
            }
            Op::ActivateGrad(f)
                if f.is_tame() && slopes && free && self.extra.is_none() && node.inputs[0] == self.value =>
            {
                // The epilogue reads the saved value texel for texel. So it must not be shared by several maps of an image.
                let saved = node.inputs[1];
                let alike = saved != self.value && graph.shape(saved) == graph.shape(next);
                alike.then_some(Self { extra: Some(Extra::Slope(f, saved)), ..value })
            }
            Op::Pool2d(ref pool) if self.extra.is_none() && !self.pooled => {
                let [_, _, h, w] = graph.shape(self.value);
                let out = graph.shape(next);
                let halves = pool.kind == PoolKind::Max && pool.window == Window::square(2, 2, 0);
                let quartered = halves && out[2..] == [h / 2, w / 2] && conv::is_winograd(graph, profile, id);
                // `conv_pool` applies the activation to the maximum of the sums, so the activation must never decrease.
                let grows = self.activation.is_none_or(Activation::grows);
                let pooled = quartered || grows && conv::pools(graph, profile, id, pool, out);
                pooled.then_some(Self { pooled, ..value })
            }
            // The last nodes of the tail. Their values have one channel.
            Op::Rescale(Scaling::Whole) if matches!(kernel, Op::Resize { .. }) && self.value == id => {
                let span = node.inputs[1];
                (node.inputs[0] == id && span != id).then_some(Self { extra: Some(Extra::Span(span)), ..value })
            }
            Op::Unpack if matches!(kernel, Op::Rescale(_) | Op::Resize { .. }) => Some(value),
            _ => None,
        }
    }
}

impl Prologue {
    /// Node `id` with its epilogue as the prologue of `next`, if the kernel of `next` can absorb it. `next` must be the only
    /// reader. Two kinds of kernels can: a 1×1 convolution, which loads a pixel a few times at most and has no padding, and the
    /// resize of a small map or the range of the resized map.
    pub fn new(graph: &Graph, profile: &Profile, id: NodeId, epilogue: &Epilogue, next: NodeId) -> Option<Self> {
        let alone = Self { node: id, activation: epilogue.activation, tile: None, expansion: None };
        let channels = |id: NodeId| graph.shape(graph.nodes[id].inputs[0])[1];
        let able = match &graph.nodes[next].op {
            Op::Conv2d(conv) => is_product(conv, channels(next)),
            Op::Resize { .. } | Op::ResizedRange { .. } => {
                return matches!(graph.nodes[id].op, Op::Rescale(_)).then_some(alone);
            }
            _ => false,
        };
        let mut tile = None;
        let ready = match &graph.nodes[id].op {
            Op::ScaleShift { .. } => epilogue.extra.is_none(),
            // In a backward pass several maps may share an image's gate. No convolution follows there.
            Op::Gate => epilogue.value == id && graph.shape(graph.nodes[id].inputs[1])[0] == graph.shape(id)[0],
            Op::Conv2d(conv) if conv.is_depthwise(channels(id)) && epilogue.extra.is_none() => {
                tile = separable::tile(profile, graph.shape(next));
                tile.is_some()
            }
            _ => false,
        };
        (able && ready).then_some(Self { tile, ..alone })
    }

    /// A depthwise prologue of `next`, extended by the 1×1 convolution of `kernel` before it, if that pays. The depthwise
    /// convolution must be the only reader of the 1×1 convolution.
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

/// Whether a convolution of `input` channels runs on the kernel for 1×1 convolutions. One from a single channel to a single
/// channel runs as a depthwise convolution.
fn is_product(conv: &Conv2d, input: usize) -> bool {
    conv.is_pointwise() && !conv.is_depthwise(input)
}
