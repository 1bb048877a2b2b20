//! A graph as a list of dispatches over few pieces of memory. Knows no GPU library: a plan can be printed
//! and tested on its own.

mod memory;

pub use memory::{Medium, Slot};

use crate::graph::{Graph, Kind, NodeId, Op, Shape};
use crate::kernels::{self, Dispatch, Operand, Profile};

/// What to run, in which order, on which memory.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In the order of execution.
    pub dispatches: Vec<Dispatch>,
    /// Pieces of memory, each used by several nodes in turn.
    pub slots: Vec<Slot>,
    /// The slot of each node that has one.
    pub place: Vec<Option<usize>>,
    /// Nodes whose values are given for each run.
    pub inputs: Vec<NodeId>,
    /// Nodes whose values are read back.
    pub outputs: Vec<NodeId>,
}

/// Bytes that a node's value takes, padding included.
pub fn bytes(kind: Kind, shape: Shape) -> u64 {
    let [n, c, h, w] = shape;
    match kind {
        Kind::Features => (kernels::texels(shape) as u64 + 1) * 16,
        Kind::Plain => (n * c * h * w) as u64 * 4,
        Kind::Pixels => (n * h * w) as u64 * 4,
    }
}

impl Plan {
    /// Plans what `outputs` need. Outputs are numbers or pixels, not features, which have the engine's layout.
    pub fn new(graph: &Graph, profile: &Profile, outputs: &[NodeId]) -> Self {
        debug_assert!(
            outputs.iter().all(|&o| graph.nodes[o].ty.kind != Kind::Features),
            "unpack features to read them back"
        );
        let needed = graph.needed(outputs);
        let fused = fusions(graph, &needed, outputs);
        let inputs: Vec<NodeId> =
            (0..graph.nodes.len()).filter(|&id| needed[id] && graph.nodes[id].op == Op::Input).collect();
        let mut dispatches = vec![];
        for (id, node) in graph.nodes.iter().enumerate() {
            let absorbed = matches!(node.op, Op::Activate(_)) && fused[node.inputs[0]] == Some(id);
            if !needed[id] || node.op == Op::Input || absorbed {
                continue;
            }
            let activation = fused[id].map(|after| match graph.nodes[after].op {
                Op::Activate(f) => (f, after),
                _ => unreachable!("only activations are fused"),
            });
            dispatches.extend(kernels::lower(profile, graph, id, activation));
        }
        let (slots, place) = memory::assign(graph, &dispatches, &inputs, outputs);
        Self { dispatches, slots, place, inputs, outputs: outputs.to_vec() }
    }

    /// Bytes of the weights as the kernels read them.
    pub fn weights(&self) -> u64 {
        let constants = self.dispatches.iter().flat_map(|d| &d.operands);
        constants.map(|o| if let Operand::Constant(c) = o { c.texels() as u64 * 16 } else { 0 }).sum()
    }

    /// Bytes of activations, gradients, maps and pictures at once.
    pub fn memory(&self) -> u64 {
        self.slots.iter().map(|s| s.bytes).sum()
    }

    /// Bytes that come back from the GPU in a run.
    pub fn readback(&self, graph: &Graph) -> u64 {
        self.outputs.iter().map(|&o| bytes(graph.nodes[o].ty.kind, graph.shape(o))).sum()
    }
}

/// For each node the activation that its kernel applies on the way out: the one that alone reads it.
fn fusions(graph: &Graph, needed: &[bool], outputs: &[NodeId]) -> Vec<Option<NodeId>> {
    let mut readers: Vec<Vec<NodeId>> = vec![vec![]; graph.nodes.len()];
    for (id, node) in graph.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
        node.inputs.iter().for_each(|&i| readers[i].push(id));
    }
    let fuse = |(id, readers): (NodeId, &Vec<NodeId>)| {
        let able = matches!(graph.nodes[id].op, Op::Conv2d(_) | Op::ScaleShift { .. });
        match readers[..] {
            [after] if able && !outputs.contains(&id) && matches!(graph.nodes[after].op, Op::Activate(_)) => {
                Some(after)
            }
            _ => None,
        }
    };
    readers.iter().enumerate().map(fuse).collect()
}

impl Dispatch {
    /// The node whose value the dispatch makes.
    pub fn written(&self) -> Option<NodeId> {
        self.operands.iter().find_map(|o| if let Operand::Write(id) = o { Some(*id) } else { None })
    }

    /// The nodes whose values the dispatch reads.
    pub fn read(&self) -> impl Iterator<Item = NodeId> {
        self.operands.iter().filter_map(|o| if let Operand::Read(id) = o { Some(*id) } else { None })
    }
}
