//! A graph as a list of dispatches over few slots of memory. It does not depend on a GPU library, so a plan can be
//! printed and tested on its own.

mod memory;

mod slot;
mod views;

pub use slot::{Medium, Slot, ZERO_TEXEL, bytes};

use crate::graph::{Graph, Kind, NodeId, Op, Type};
use crate::kernels::{self, Constant, Dispatch, Epilogue, Kernel, Operand, Profile, Prologue};

/// What to run, in which order, on which memory.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In the order of execution.
    pub dispatches: Vec<Dispatch>,
    /// Types of all values: the graph's nodes, then scratch.
    pub types: Vec<Type>,
    /// Slots of memory, each used by several values in turn.
    pub slots: Vec<Slot>,
    /// The slot of each value that has one.
    pub slot_of: Vec<Option<usize>>,
    /// Nodes whose values are given for each run: inputs, or the features that the CPU packs them to before the upload.
    pub inputs: Vec<NodeId>,
    /// Nodes whose values are read back. The zero texel of features is left out.
    pub outputs: Vec<NodeId>,
    /// Nodes whose values stay on the device until the end, for a plan that runs after this one.
    pub kept: Vec<NodeId>,
}

impl Plan {
    /// Plans what `outputs` need. These must be numbers or pixels, because features have the engine's own layout.
    pub fn new(graph: &Graph, profile: &Profile, outputs: &[NodeId]) -> Self {
        Self::keeping(graph, profile, outputs, &[])
    }

    /// Like [`Plan::new`], and keeps the features `kept` on the device for another plan.
    pub fn keeping(graph: &Graph, profile: &Profile, outputs: &[NodeId], kept: &[NodeId]) -> Self {
        debug_assert!(
            outputs.iter().all(|&o| graph.nodes[o].ty.kind != Kind::Features),
            "unpack features to read them back"
        );
        let outputs: &[NodeId] = &outputs.iter().map(|&output| unpacked(graph, output)).collect::<Vec<_>>();
        let last: &[NodeId] = &[outputs, kept].concat();
        let mut needed = graph.needed(last);
        let given = (0..graph.nodes.len()).filter(|&id| needed[id] && graph.nodes[id].op == Op::Input);
        let inputs: Vec<NodeId> = given.map(|input| packed(graph, profile, &needed, input)).collect();
        inputs.iter().for_each(|&input| needed[input] = false);
        let (mut dispatches, mut scratch) = (vec![], vec![]);
        let kernels = fusions(graph, profile, &needed, last);
        let mut written = vec![None; graph.nodes.len()];
        let alone = kernels.iter().filter(|kernel| kernel.epilogue.extra.is_none());
        alone.for_each(|kernel| written[kernel.epilogue.value] = Some(kernel.node));
        let views = views::views(graph, &needed, last, &written);
        for kernel in kernels {
            dispatches.extend(kernels::lower(profile, graph, kernel, &views, &mut scratch));
        }
        let scratch = scratch.into_iter().map(|shape| Type { kind: Kind::Features, shape });
        let types: Vec<Type> = graph.nodes.iter().map(|n| n.ty).chain(scratch).collect();
        let (slots, slot_of) = memory::assign(&types, &dispatches, &inputs, last);
        Self { dispatches, types, slots, slot_of, inputs, outputs: outputs.to_vec(), kept: kept.to_vec() }
    }

    /// The plan with a slot of its own for each value, and `room` bytes after it.
    #[must_use]
    pub fn apart(mut self, room: u64) -> Self {
        let mut slots = vec![];
        for (slot, ty) in self.slot_of.iter_mut().zip(&self.types).filter(|(slot, _)| slot.is_some()) {
            slots.push(Slot { medium: Medium::of(ty.kind), bytes: bytes(ty.kind, ty.shape) + room });
            *slot = Some(slots.len() - 1);
        }
        self.slots = slots;
        self
    }

    /// Bytes of the weights in the layout that the kernels read.
    pub fn weights(&self) -> u64 {
        // A layer's forward pass and its gradient may share a constant.
        let mut seen: Vec<&Constant> = vec![];
        let mut bytes = 0;
        for dispatch in &self.dispatches {
            for operand in &dispatch.operands {
                let Operand::Constant(constant) = operand else { continue };
                if !seen.contains(&constant) {
                    let half = dispatch.defines.contains(&("HALF", 1)) && constant.halves();
                    bytes += constant.texels() as u64 * if half { 8 } else { 16 };
                    seen.push(constant);
                }
            }
        }
        bytes
    }

    /// Bytes of all slots: activations, gradients, maps and pictures.
    pub fn memory(&self) -> u64 {
        self.slots.iter().map(|s| s.bytes).sum()
    }

    /// The slot of a value that is given, read back, or bound by a dispatch.
    ///
    /// # Panics
    /// For any other value, because nothing computes it.
    pub fn slot(&self, id: NodeId) -> usize {
        self.slot_of[id].expect("what is used has a slot")
    }

    /// Bytes that a run reads back for each output.
    pub fn readback(&self) -> impl Iterator<Item = u64> {
        self.outputs.iter().map(|&o| match self.types[o] {
            Type { kind: Kind::Features, shape } => bytes(Kind::Features, shape) - ZERO_TEXEL,
            Type { kind, shape } => bytes(kind, shape),
        })
    }
}

/// The value to read back for `output`. If its texels already hold the numbers in order, they need no unpacking. This
/// requires that they lie in one row of a texture.
fn unpacked(graph: &Graph, output: NodeId) -> NodeId {
    let [n, c, h, w] = graph.shape(output);
    let whole = c.is_multiple_of(4) && h * w == 1 && kernels::texels([n, c, h, w]) < kernels::ROW;
    if graph.nodes[output].op == Op::Unpack && whole { graph.nodes[output].inputs[0] } else { output }
}

/// The value to give for an input. With textures the CPU packs it, which is faster than a kernel that reads the
/// numbers.
fn packed(graph: &Graph, profile: &Profile, needed: &[bool], input: NodeId) -> NodeId {
    let mut readers = (0..graph.nodes.len()).filter(|&id| needed[id] && graph.nodes[id].inputs.contains(&input));
    match (readers.next(), readers.next()) {
        (Some(only), None) if profile.texture && graph.nodes[only].op == Op::Pack => only,
        _ => input,
    }
}

/// The nodes with kernels of their own, and the nodes that each kernel absorbs: those after it that are the only
/// readers of the value so far, and one before it whose only reader it is. They are ordered by the last node of each,
/// so that all operands are computed earlier.
fn fusions(graph: &Graph, profile: &Profile, needed: &[bool], outputs: &[NodeId]) -> Vec<Kernel> {
    let mut readers: Vec<Vec<NodeId>> = vec![vec![]; graph.nodes.len()];
    for (id, node) in graph.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
        node.inputs.iter().for_each(|&i| readers[i].push(id));
    }
    let only_reader = |value: NodeId| match readers[value][..] {
        [next] if !outputs.contains(&value) => Some(next),
        _ => None,
    };
    let mut absorbed = vec![false; graph.nodes.len()];
    let mut prologues: Vec<Option<Prologue>> = vec![None; graph.nodes.len()];
    let mut kernels = vec![];
    for node in (0..graph.nodes.len()).filter(|&id| needed[id] && graph.nodes[id].op != Op::Input) {
        if absorbed[node] {
            continue;
        }
        let prologue = prologues[node];
        let taken = 3 + prologue.map_or(0, Prologue::operands);
        let fits = |epilogue: &Epilogue| epilogue.extra.is_none() || taken < profile.operands;
        let mut epilogue = Epilogue::none(node);
        while let Some(next) = only_reader(epilogue.value).filter(|&next| !absorbed[next]) {
            let Some(longer) = epilogue.absorb(graph, profile, node, next).filter(fits) else { break };
            absorbed[next] = true;
            epilogue = longer;
        }
        let next = only_reader(epilogue.value);
        match next.and_then(|next| Some((next, Prologue::new(graph, profile, node, &epilogue, next)?))) {
            Some((next, mut prologue)) => {
                let value = prologue.input(graph);
                let before = |kernel: &Kernel| kernel.epilogue.value == value && only_reader(value) == Some(node);
                if let Some(at) = kernels.iter().position(before)
                    && let Some(longer) = prologue.expanded(graph, profile, &kernels[at], next)
                {
                    kernels.remove(at);
                    prologue = longer;
                }
                prologues[next] = Some(prologue);
            }
            None => kernels.push(Kernel { node, prologue, epilogue }),
        }
    }
    kernels.sort_unstable_by_key(|kernel| kernel.epilogue.value);
    kernels
}

impl Dispatch {
    /// The node whose value the dispatch writes.
    pub fn written(&self) -> Option<NodeId> {
        self.operands.iter().find_map(|o| if let Operand::Write(id) = o { Some(*id) } else { None })
    }

    /// The nodes whose values the dispatch reads.
    pub fn read(&self) -> impl Iterator<Item = NodeId> {
        self.operands.iter().filter_map(|o| if let Operand::Read(id) = o { Some(*id) } else { None })
    }
}
