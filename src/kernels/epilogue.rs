//! What a kernel does to its values on the way out, `shared/epilogue.wgsl`: the nodes after its own that it absorbs.

use super::activation::code;
use super::{Profile, conv};
use crate::graph::{Activation, Graph, NodeId, Op, PoolKind, Window};

/// The nodes that a kernel computes besides its own.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue {
    /// The last of them, or the kernel's own: the value that it writes.
    pub value: NodeId,
    /// Read for every value.
    pub extra: Option<Extra>,
    /// Applied after that.
    pub activation: Option<Activation>,
    /// Whether only the greatest of each window of a max pool is kept at last.
    pub pooled: bool,
}

/// A further operand of an epilogue, of the value's own shape unless it is a range.
#[derive(Clone, Copy, Debug)]
pub enum Extra {
    /// `v + extra`.
    Add(NodeId),
    /// `v · f'(extra)`.
    Slope(Activation, NodeId),
    /// A map's value in 0..1 by the range of the map.
    Span(NodeId),
}

impl Extra {
    /// The operand.
    pub fn node(self) -> NodeId {
        match self {
            Self::Add(node) | Self::Slope(_, node) | Self::Span(node) => node,
        }
    }
}

impl Epilogue {
    /// No other nodes than the kernel's own.
    pub fn none(id: NodeId) -> Self {
        Self { value: id, extra: None, activation: None, pooled: false }
    }

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

    /// The preprocessor's defines.
    pub fn defines(&self) -> Vec<(&'static str, u32)> {
        if self.pooled {
            return vec![("ACTIVATION", self.activation.map_or(0, code)), ("POOLED", 1)];
        }
        match self.extra {
            Some(Extra::Slope(f, _)) => vec![("ACTIVATION", code(f)), ("SLOPE", 1)],
            Some(Extra::Span(_)) => vec![("SPANNED", 1)],
            Some(Extra::Add(_)) => vec![("ACTIVATION", self.activation.map_or(0, code)), ("ADD", 1)],
            None => vec![("ACTIVATION", self.activation.map_or(0, code))],
        }
    }
}
