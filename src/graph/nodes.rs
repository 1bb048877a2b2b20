//! The list of operations.

use std::cmp::Ordering;

use super::error::GraphError;
use super::op::{Arithmetic, Op};
use super::param::Param;
use super::rearrange::{Digit, Rearrange, Side};
use super::shape::infer;
use super::value::{Kind, NodeId, ParamId, Shape, Type};

/// One operation with its operands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The operation.
    pub op: Op,
    /// Its operands. All of them come earlier in the list.
    pub inputs: Vec<NodeId>,
    /// Kind and shape of its value.
    pub ty: Type,
}

/// Operations in the order of execution, and their parameters.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The operations. A node's inputs come before it.
    pub nodes: Vec<Node>,
    /// Trained tensors.
    pub params: Vec<Param>,
}

impl Graph {
    /// Appends an input.
    pub fn input(&mut self, kind: Kind, shape: Shape) -> NodeId {
        self.nodes.push(Node { op: Op::Input, inputs: vec![], ty: Type { kind, shape } });
        self.nodes.len() - 1
    }

    /// Appends an operation after a check of its operands' shapes.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the operands do not fit.
    pub fn push(&mut self, op: Op, inputs: &[NodeId]) -> Result<NodeId, GraphError> {
        let types: Vec<Type> = inputs.iter().map(|&i| self.nodes[i].ty).collect();
        let ty = infer(&op, &types)?;
        self.nodes.push(Node { op, inputs: inputs.to_vec(), ty });
        Ok(self.nodes.len() - 1)
    }

    /// Appends a rearrangement, in stages if it adds many numbers.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the operand does not fit.
    pub fn rearrange(&mut self, moves: &Rearrange, x: NodeId) -> Result<NodeId, GraphError> {
        moves.stages().into_iter().try_fold(x, |x, moves| self.push(Op::Rearrange(moves), &[x]))
    }

    /// Appends `x`, repeated along the axes on which it has one number: channels, rows and columns become `to`.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if another axis has another extent.
    pub fn repeated(&mut self, x: NodeId, to: [usize; 3]) -> Result<NodeId, GraphError> {
        let [_, c, h, w] = self.shape(x);
        let from = [c, h, w];
        let repeats = |axis: usize| from[axis] == 1 && to[axis] > 1;
        let digit =
            |axis: usize| Digit { extent: to[axis], from: (!repeats(axis)).then_some((axis, 1)), to: Some((axis, 1)) };
        let digits = (0..3).filter(|axis| to[*axis] > 1).map(digit).collect();
        self.rearrange(&Rearrange { from: Side::whole(from), to: Side::whole(to), digits }, x)
    }

    /// Appends the sum of two values. What is there for fewer images is there for each of the others too.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if they differ otherwise.
    pub fn added(&mut self, a: NodeId, b: NodeId) -> Result<NodeId, GraphError> {
        match self.shape(a)[0].cmp(&self.shape(b)[0]) {
            Ordering::Equal => self.push(Op::Add, &[a, b]),
            Ordering::Greater => self.push(Op::Broadcast(Arithmetic::Add), &[a, b]),
            Ordering::Less => self.push(Op::Broadcast(Arithmetic::Add), &[b, a]),
        }
    }

    /// Appends the sum over the channels of `x`, which has one pixel.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if it has several.
    pub fn summed(&mut self, x: NodeId) -> Result<NodeId, GraphError> {
        let c = self.shape(x)[1];
        let digits = [Digit { extent: c, from: Some((0, 1)), to: None }].into_iter().filter(|digit| digit.extent > 1);
        let (from, to) = (Side::whole([c, 1, 1]), Side::whole([1; 3]));
        self.rearrange(&Rearrange { from, to, digits: digits.collect() }, x)
    }

    /// Appends `x · scale + shift`, with the same numbers for all channels.
    ///
    /// # Errors
    /// None for a feature map.
    pub fn scaled(&mut self, x: NodeId, scale: f32, shift: f32) -> Result<NodeId, GraphError> {
        let c = self.shape(x)[1];
        let mut all = |value: f32| self.param(Param::new(format!("{value} of {c}"), vec![c], vec![value; c].into()));
        let (scale, shift) = (all(scale), (shift != 0.0).then(|| all(shift)));
        self.push(Op::ScaleShift { scale, shift }, &[x])
    }

    /// Appends a parameter.
    pub fn param(&mut self, param: Param) -> ParamId {
        self.params.push(param);
        self.params.len() - 1
    }

    /// Shape of a node's value.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.nodes[id].ty.shape
    }

    /// Multiply-adds of a node by its definition, independent of the algorithm. Counted for convolutions, linear
    /// layers and their gradients, else 0.
    pub fn multiply_adds(&self, id: NodeId) -> u64 {
        let numbers = |p: ParamId| self.params[p].shape.iter().map(|n| *n as u64).product::<u64>();
        let [n, _, h, w] = self.shape(id).map(|n| n as u64);
        match &self.nodes[id].op {
            Op::Conv2d(conv) => numbers(conv.weight) * n * h * w,
            Op::Conv2dGrad { conv, .. } => {
                let [_, _, h, w] = self.shape(self.nodes[id].inputs[0]).map(|n| n as u64);
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
