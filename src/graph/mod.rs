//! The intermediate representation: a list of operations in the order of execution.
//!
//! Forward pass, backward pass and Grad-CAM tail live in one graph, so that the GPU plan and the CPU
//! truth run the very same thing. This room knows nobody else's.

mod builder;
mod fold;
mod grad;
mod op;
mod shape;
mod simplify;

pub use builder::{Builder, ParamSource};
pub use fold::fold;
pub use grad::gradients;
pub use op::{Activation, ClassWeights, Conv2d, LayerNorm, Linear, Op, Overlay, Pool2d, PoolKind, Window};
pub use shape::{Shape, infer};
pub use simplify::gradient_mean;

use std::borrow::Cow;
use std::sync::Arc;

/// Index of a node in its graph.
pub type NodeId = usize;
/// Index of a parameter in its graph.
pub type ParamId = usize;

/// What a node's value is made of, and so where an engine keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Activations, gradients, maps and records, in the engine's own layout (blocks of four channels on the GPU).
    Features,
    /// f32 in row-major `[n,c,h,w]`: tensors that come in or go out.
    Plain,
    /// RGBA, one byte a channel, row-major.
    Pixels,
}

/// Kind and extents of a node's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// What it is made of.
    pub kind: Kind,
    /// `[n, c, h, w]`.
    pub shape: Shape,
}

/// One operation with its operands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The operation.
    pub op: Op,
    /// Its operands, all earlier in the list.
    pub inputs: Vec<NodeId>,
    /// Its value.
    pub ty: Type,
}

/// A trained tensor.
#[derive(Clone, Debug)]
pub struct Param {
    /// Name in the weights file, unique in the graph.
    pub name: String,
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    values: Arc<[f32]>,
    /// A factor for each outermost row, from a folded batch norm; applied only when the values are asked for.
    row_scale: Option<Arc<[f32]>>,
}

impl Param {
    /// A tensor as it is.
    pub fn new(name: String, shape: Vec<usize>, values: Arc<[f32]>) -> Self {
        Self { name, shape, values, row_scale: None }
    }

    /// The values in row-major order.
    pub fn values(&self) -> Cow<'_, [f32]> {
        let Some(scale) = &self.row_scale else { return Cow::Borrowed(&self.values) };
        let row = self.values.len() / scale.len();
        let scaled = |(v, s): (&[f32], &f32)| v.iter().map(|v| v * s).collect::<Vec<_>>();
        Cow::Owned(self.values.chunks(row).zip(scale.iter()).flat_map(scaled).collect())
    }
}

/// Operations in the order of execution, and the parameters that they name.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Each node's inputs come before it.
    pub nodes: Vec<Node>,
    /// Trained tensors.
    pub params: Vec<Param>,
}

/// Why a graph cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Operands do not fit the operation.
    #[error("{op}: {reason}")]
    Shape {
        /// The operation, printed.
        op: String,
        /// What does not fit.
        reason: String,
    },
    /// The target does not lead to the logits.
    #[error("the class score does not depend on node {0}")]
    NoPath(NodeId),
    /// The operation has no derivative that Grad-CAM needs.
    #[error("{0} has no backward pass")]
    NoGradient(String),
}

impl GraphError {
    /// An operation that needs operands was given none.
    pub(crate) fn no_operands(op: &str) -> Self {
        Self::Shape { op: op.into(), reason: "no operands".into() }
    }
}

impl Graph {
    /// Appends an input.
    pub fn input(&mut self, kind: Kind, shape: Shape) -> NodeId {
        self.nodes.push(Node { op: Op::Input, inputs: vec![], ty: Type { kind, shape } });
        self.nodes.len() - 1
    }

    /// Appends an operation after checking its operands' shapes.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the operands do not fit.
    pub fn push(&mut self, op: Op, inputs: &[NodeId]) -> Result<NodeId, GraphError> {
        let types: Vec<Type> = inputs.iter().map(|&i| self.nodes[i].ty).collect();
        let ty = infer(&op, &types)?;
        self.nodes.push(Node { op, inputs: inputs.to_vec(), ty });
        Ok(self.nodes.len() - 1)
    }

    /// Appends a parameter.
    pub fn param(&mut self, param: Param) -> ParamId {
        self.params.push(param);
        self.params.len() - 1
    }

    /// Extents of a node's value.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.nodes[id].ty.shape
    }

    /// Products that a node takes, as its definition counts them, whatever the algorithm.
    pub fn multiply_adds(&self, id: NodeId) -> usize {
        let numbers = |p: ParamId| self.params[p].shape.iter().product::<usize>();
        let [n, _, h, w] = self.shape(id);
        match &self.nodes[id].op {
            Op::Conv2d(conv) => numbers(conv.weight) * n * h * w,
            Op::Conv2dGrad { conv, .. } => {
                let [_, _, h, w] = self.shape(self.nodes[id].inputs[0]);
                numbers(conv.weight) * n * h * w
            }
            Op::Linear(linear) | Op::LinearGrad { linear, .. } => numbers(linear.weight) * n,
            _ => 0,
        }
    }

    /// For each node, whether one of `outputs` needs it.
    pub fn needed(&self, outputs: &[NodeId]) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        outputs.iter().for_each(|&o| needed[o] = true);
        for id in (0..self.nodes.len()).rev() {
            if needed[id] {
                self.nodes[id].inputs.iter().for_each(|&i| needed[i] = true);
            }
        }
        needed
    }
}
