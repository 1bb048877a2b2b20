//! Epilogues: nodes after its own that a kernel computes before it stores its values. See `shared/epilogue.wgsl`.

use crate::graph::{Activation, NodeId};

/// The nodes after its own that a kernel computes.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue {
    /// The value that the kernel writes: the last of these nodes, or its own if there are none.
    pub value: NodeId,
    /// A further operand, read for every value.
    pub extra: Option<Extra>,
    /// The activation, applied after the operand.
    pub activation: Option<Activation>,
    /// Whether a max pool ends the epilogue, so that only the maximum of each window is kept.
    pub pooled: bool,
}

/// A further operand of an epilogue. It has the value's shape, except that [`Extra::Span`] is a range.
#[derive(Clone, Copy, Debug)]
pub enum Extra {
    /// `v + extra`.
    Add(NodeId),
    /// `v · f'(extra)`.
    Slope(Activation, NodeId),
    /// Rescales a map to 0..1 by its range.
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
    /// An epilogue without nodes.
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
