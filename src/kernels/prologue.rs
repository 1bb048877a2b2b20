//! Prologues: nodes before its own that a kernel computes when it loads its input. See `shared/prologue.wgsl`.

use super::constant::{Constant, Packing};
use super::dispatch::Operand;
use super::epilogue::code;
use super::pass::Taps;
use super::tiling::Tile;
use crate::graph::{Activation, Conv2d, Graph, NodeId, Op, Scaling};

/// A node that a kernel computes for each of its loads, instead of reading what another kernel has stored.
#[derive(Clone, Copy, Debug)]
pub struct Prologue {
    /// A batch norm, a gate or a depthwise convolution. Before a resize it is a rescaling.
    pub node: NodeId,
    /// The activation after the node.
    pub(super) activation: Option<Activation>,
    /// The register tile of a depthwise convolution and the 1×1 convolution after it.
    pub(super) tile: Option<Tile>,
    /// The 1×1 convolution before a depthwise one, and the activation between them, if the kernel absorbs these too.
    pub(super) expansion: Option<(NodeId, Option<Activation>)>,
}

impl Prologue {
    /// The depthwise convolution and its tile, if the prologue is one.
    pub fn depthwise(self, graph: &Graph) -> Option<(&Conv2d, Tile)> {
        match (&graph.nodes[self.node].op, self.tile) {
            (Op::Conv2d(conv), Some(tile)) => Some((conv, tile)),
            _ => None,
        }
    }

    /// The 1×1 convolution before the depthwise one, if the kernel computes it too, and the code of the activation between
    /// them.
    pub fn expansion(self, graph: &Graph) -> Option<(&Conv2d, u32)> {
        let (node, activation) = self.expansion?;
        let Op::Conv2d(conv) = &graph.nodes[node].op else { return None };
        Some((conv, activation.map_or(0, code)))
    }

    /// The absorbed nodes, in order of execution.
    pub fn nodes(self) -> impl Iterator<Item = NodeId> {
        self.expansion.map(|(node, _)| node).into_iter().chain([self.node])
    }

    /// The value that the kernel reads instead of the prologue's own.
    pub fn input(&self, graph: &Graph) -> NodeId {
        let first = self.expansion.map_or(self.node, |(node, _)| node);
        graph.nodes[first].inputs[0]
    }

    /// Number of operands that the prologue adds to the kernel.
    pub fn operands(self) -> u32 {
        if self.expansion.is_some() { 2 } else { 1 }
    }

    /// Whether the prologue's factors differ between images.
    pub fn gates(&self, graph: &Graph) -> bool {
        graph.nodes[self.node].op == Op::Gate
    }

    /// The operand that the prologue adds, and the preprocessor's defines.
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
            Op::Rescale(scaling) => {
                let defines = [&rescaling(*scaling)[..], &[("RESCALED", 1)]].concat();
                (Operand::Read(graph.nodes[self.node].inputs[1]), defines)
            }
            _ => (Operand::Read(graph.nodes[self.node].inputs[1]), vec![("PROLOGUE", 1), ("GATED", 1)]),
        }
    }
}

/// Defines for `shared/rescale.wgsl`.
pub fn rescaling(scaling: Scaling) -> Vec<(&'static str, u32)> {
    match scaling {
        Scaling::Positive => vec![("POSITIVE", 1)],
        Scaling::Whole => vec![],
        Scaling::ToGreatest => vec![("POSITIVE", 1), ("ANCHORED", 1)],
        Scaling::Signed => vec![("ANCHORED", 1)],
    }
}
