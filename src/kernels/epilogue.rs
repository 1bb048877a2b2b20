//! What a kernel does to its values on the way out, `shared/epilogue.wgsl`: the nodes after its own that it absorbs.

use crate::graph::{Activation, NodeId};

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

/// The shaders' code for an activation.
pub fn code(f: Activation) -> u32 {
    1 + Activation::ALL.iter().position(|&a| a == f).unwrap_or(0) as u32
}
