//! What a plan is made of: runs of shaders, and where their values lie.

use super::constant::Constant;
use super::tiling::Product;
use crate::graph::NodeId;

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
pub struct View {
    /// The value whose memory it is.
    pub value: NodeId,
    /// Channel blocks of an image there.
    pub blocks: usize,
    /// The first of them that is its own.
    pub first: usize,
}

impl View {
    /// In memory of its own.
    pub fn whole(value: NodeId, blocks: usize) -> Self {
        Self { value, blocks, first: 0 }
    }

    /// For a shader.
    pub(super) fn numbers(&self) -> [u32; 2] {
        [self.blocks as u32, self.first as u32]
    }
}
