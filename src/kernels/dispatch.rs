//! Dispatches, of which a plan is made, and where their values lie.

use super::constant::Constant;
use super::tiling::Product;
use crate::graph::NodeId;

/// An operand of a dispatch. Values with numbers past the graph's nodes are scratch.
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
    /// The node that it computes, in full or in part.
    pub node: NodeId,
    /// The absorbed nodes before that node.
    pub before: Vec<NodeId>,
    /// File name of the shader.
    pub shader: &'static str,
    /// The preprocessor's defines.
    pub defines: Vec<(&'static str, u32)>,
    /// Content of the uniform block at binding 0.
    pub params: Vec<u8>,
    /// Operands in the order of their bindings, from 1 on.
    pub operands: Vec<Operand>,
    /// Number of workgroups, not yet folded to two dimensions.
    pub groups: u32,
    /// The product that was cut into tiles, if the kernel computes one.
    pub product: Option<Product>,
}

/// Where a value lies: in its own memory, or among the channels of a wider value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The value that owns the memory.
    pub value: NodeId,
    /// Blocks of an image in that memory.
    pub blocks: usize,
    /// The first block that belongs to the value itself.
    pub first: usize,
}

impl View {
    /// A value in its own memory.
    pub fn whole(value: NodeId, blocks: usize) -> Self {
        Self { value, blocks, first: 0 }
    }

    /// `[blocks, first]`, as shaders take them.
    pub(super) fn numbers(&self) -> [u32; 2] {
        [self.blocks as u32, self.first as u32]
    }
}
