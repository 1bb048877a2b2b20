//! Turns a file's operators into the graph's, for images of one size.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::extents::{self, counted};
use super::file::Node;
use super::fold;
use super::tensor::{Constant, Numbers, SMALL};
use super::view::{Atom, Layout, View, joined, merged};
use crate::graph::{Activation, Arithmetic, Digit, Graph, NodeId, Op, Param, ParamId, Rearrange, Side};
use crate::memory::Share;

/// Numbers of the network: a node's, seen through a view. A batch's images do not show in it: it is of one image.
#[derive(Clone, Debug)]
pub struct Value {
    pub node: NodeId,
    pub view: View,
}

/// An operand or a result.
#[derive(Clone)]
pub enum Operand {
    Constant(Constant),
    Value(Value),
}

/// Lowers an operator of which an operand depends on the image.
pub type Lower = fn(&mut Lowering, &Node, &Operands) -> Result<Vec<Value>, String>;

/// What an operator is lowered with. An operand that is left out is none.
pub type Operands = [Option<Operand>];

/// A network under construction.
pub struct Lowering<'a> {
    pub graph: Graph,
    pub opset: i64,
    values: HashMap<&'a str, Operand>,
    /// Scalings that come from numbers in the file, so that others may be joined to them.
    scalings: HashSet<NodeId>,
    /// Of memory, for the constants that were computed.
    shares: Vec<Share>,
}

impl<'a> Lowering<'a> {
    /// Begins with the network's input, which has this name.
    pub fn new(
        graph: Graph,
        opset: i64,
        input: &'a str,
        value: Value,
        constants: &'a HashMap<String, Constant>,
    ) -> Self {
        let constants = constants.iter().map(|(name, constant)| (name.as_str(), Operand::Constant(constant.clone())));
        let mut values: HashMap<&str, Operand> = constants.collect();
        values.insert(input, Operand::Value(value));
        Self { graph, opset, values, scalings: HashSet::new(), shares: vec![] }
    }

    /// The value of this name.
    pub fn value(&self, name: &str) -> Option<&Operand> {
        self.values.get(name)
    }

    /// Lowers an operator, whose operands are there, by a function that may be missing for one of constants only.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn lower(&mut self, node: &'a Node, lower: Option<Lower>) -> Result<(), String> {
        let mut operands: Vec<Option<Operand>> =
            node.inputs.iter().map(|name| self.values.get(name.as_str()).cloned()).collect();
        if let Some(i) = (0..operands.len()).find(|i| operands[*i].is_none() && !node.inputs[*i].is_empty()) {
            return Err(format!("takes '{}', which nothing makes", node.inputs[i]));
        }
        let constants: Vec<Option<&Constant>> = operands
            .iter()
            .map(|operand| if let Some(Operand::Constant(constant)) = operand { Some(constant) } else { None })
            .collect();
        let is_constant = operands.iter().flatten().all(|operand| matches!(operand, Operand::Constant(_)));
        let results = if let ("Shape" | "Size", Some(Some(Operand::Value(value)))) = (&*node.op, operands.first()) {
            let dims: Vec<i64> = value.view.dims().iter().map(|extent| *extent as i64).collect();
            let size = Constant::ints(vec![], [dims.iter().product::<i64>()]);
            vec![Operand::Constant(if node.op == "Size" { size } else { extents::shape(node, &dims) })]
        } else if is_constant && let Some(folded) = fold::fold(node, &constants)? {
            let large = folded.iter().filter(|constant| constant.len() > SMALL);
            self.shares.extend(large.map(|constant| Share::of((constant.len() * size_of::<f32>()) as u64)));
            folded.into_iter().map(Operand::Constant).collect()
        } else {
            let lower = lower.ok_or("is not supported for such operands")?;
            // What cannot be computed beforehand is computed with the rest.
            if let (true, Some(Some(first))) = (is_constant, operands.first_mut()) {
                *first = Operand::Value(self.as_value(first)?);
            }
            lower(self, node, &operands)?.into_iter().map(Operand::Value).collect()
        };
        for (name, result) in node.outputs.iter().zip(results) {
            self.values.insert(name, result);
        }
        Ok(())
    }

    /// Appends an operation.
    ///
    /// # Errors
    /// Operands that do not fit.
    pub fn push(&mut self, op: Op, operands: &[NodeId]) -> Result<NodeId, String> {
        self.graph.push(op, operands).map_err(|e| e.to_string())
    }

    /// An activation of a node.
    ///
    /// # Errors
    /// None.
    pub fn activated(&mut self, node: NodeId, f: Activation) -> Result<NodeId, String> {
        self.push(Op::Activate(f), &[node])
    }

    /// The product of two nodes, of which the second is repeated.
    ///
    /// # Errors
    /// Extents that do not fit.
    pub fn times(&mut self, a: NodeId, b: NodeId) -> Result<NodeId, String> {
        self.push(Op::Broadcast(Arithmetic::Multiply), &[a, b])
    }

    /// Channels, rows and columns of a node's feature map.
    pub fn extents(&self, node: NodeId) -> [usize; 3] {
        let [_, c, h, w] = self.graph.shape(node);
        [c, h, w]
    }

    /// A node's feature map as `[1,c,h,w]`.
    pub fn map_of(&self, node: NodeId) -> Value {
        Value { node, view: View::map(self.extents(node)) }
    }

    /// The same view of another node.
    pub fn like(&self, value: &Value, node: NodeId) -> Value {
        Value { node, view: value.view.clone() }
    }

    /// Trained numbers. Those that are in the file have its name for them, others one that tells what they are.
    pub fn param(&mut self, constant: &Constant, dims: Vec<usize>) -> ParamId {
        let values = constant.to_floats();
        let is_stored = matches!(constant.numbers, Numbers::Floats(_));
        let name = match &constant.name {
            Some(name) if is_stored => name.to_string(),
            // FNV-1a: equal numbers share a copy on the device, whatever the shape of the input.
            _ => {
                let step = |hash: u64, v: &f32| (hash ^ u64::from(v.to_bits())).wrapping_mul(0x100_0000_01b3);
                format!("{} numbers {:016x}", values.len(), values.iter().fold(0xcbf2_9ce4_8422_2325, step))
            }
        };
        self.graph.param(Param::new(name, dims, values))
    }

    /// A vector of trained numbers.
    pub fn vector(&mut self, values: impl Into<Arc<[f32]>>) -> ParamId {
        let values = values.into();
        let dims = vec![values.len()];
        self.param(&Constant::floats(dims.clone(), values), dims)
    }

    /// `x · scale[c] + shift[c]` over the feature map's channels. Scalings one after another become one.
    ///
    /// # Errors
    /// None for vectors of the right length.
    pub fn scaled(&mut self, node: NodeId, scale: &[f32], shift: &[f32]) -> Result<NodeId, String> {
        let (mut node, mut scale, mut shift) = (node, scale.to_vec(), shift.to_vec());
        if let Op::ScaleShift { scale: first, shift: then } = self.graph.nodes[node].op
            && self.scalings.contains(&node)
        {
            let first = self.graph.params[first].values().into_owned();
            let then = then.map(|then| self.graph.params[then].values().into_owned());
            for c in 0..scale.len() {
                shift[c] += scale[c] * then.as_ref().map_or(0.0, |then| then[c]);
                scale[c] *= first[c];
            }
            node = self.graph.nodes[node].inputs[0];
        }
        // Factors that undo each other, such as GELU's 2 and 1/2, are exact.
        if scale.iter().all(|s| *s == 1.0) && shift.iter().all(|s| *s == 0.0) {
            return Ok(node);
        }
        let shift = shift.iter().any(|s| *s != 0.0).then(|| self.vector(shift));
        let scale = self.vector(scale);
        let node = self.push(Op::ScaleShift { scale, shift }, &[node])?;
        self.scalings.insert(node);
        Ok(node)
    }

    /// `x · scale + shift` with the same numbers for all channels.
    ///
    /// # Errors
    /// None.
    pub fn uniformly(&mut self, node: NodeId, scale: f32, shift: f32) -> Result<NodeId, String> {
        let channels = self.extents(node)[0];
        self.scaled(node, &vec![scale; channels], &vec![shift; channels])
    }

    /// The operand, scale and shift of a scaling with the same numbers for all channels.
    pub fn uniform(&self, node: NodeId) -> Option<(NodeId, f32, f32)> {
        let Op::ScaleShift { scale, shift } = self.graph.nodes[node].op else { return None };
        let only = |p: ParamId| {
            let values = self.graph.params[p].values();
            values.iter().all(|v| *v == values[0]).then(|| values[0])
        };
        Some((self.graph.nodes[node].inputs[0], only(scale)?, shift.map_or(Some(0.0), only)?))
    }

    /// A value with its axes in another layout.
    ///
    /// # Errors
    /// A layout that takes too many steps.
    pub fn laid_out(&mut self, value: &Value, layout: Layout) -> Result<Value, String> {
        let (moves, view) = value.view.laid_out(self.extents(value.node), layout);
        let node = match moves {
            None => value.node,
            Some(moves) => self.moved(value.node, moves)?,
        };
        Ok(Value { node, view })
    }

    /// A rearrangement, or a channel shuffle where it is one.
    ///
    /// # Errors
    /// One that takes too many steps.
    pub fn moved(&mut self, node: NodeId, moves: Rearrange) -> Result<NodeId, String> {
        let [c, h, w] = self.extents(node);
        let stays = |axis: usize, extent: usize| Digit { extent, from: Some((axis, 1)), to: Some((axis, 1)) };
        let [outer, inner] = moves.digits.get(..2).and_then(|d| d.try_into().ok()).unwrap_or([stays(0, 1); 2]);
        let [e, groups] = [outer.extent, inner.extent];
        let shuffle = [
            Digit { extent: e, from: Some((0, 1)), to: Some((0, groups)) },
            Digit { extent: groups, from: Some((0, e)), to: Some((0, 1)) },
        ];
        let space = [stays(1, h), stays(2, w)].into_iter().filter(|digit| digit.extent > 1);
        let is_shuffle = moves.from == moves.to && moves.digits.iter().copied().eq(shuffle.into_iter().chain(space));
        if is_shuffle && e * groups == c {
            return self.push(Op::Shuffle { groups }, &[node]);
        }
        self.graph.rearrange(&moves, node).map_err(|e| e.to_string())
    }

    /// The layout that a value of these extents has where nothing asks for another.
    pub fn usual(dims: &[usize]) -> [Vec<usize>; 3] {
        let rank = dims.len();
        let images = if rank > 0 && dims[0] > 1 { vec![0] } else { vec![] };
        match rank {
            0 | 1 => [images, vec![], vec![]],
            2 => [[images, vec![1]].concat(), vec![], vec![]],
            3 => [vec![2], vec![], [images, vec![1]].concat()],
            _ => [[images, (1..rank - 2).collect()].concat(), vec![rank - 2], vec![rank - 1]],
        }
    }

    /// The view of a value in the usual layout, and the extents of its feature map.
    pub fn usual_view(dims: &[usize]) -> (View, [usize; 3]) {
        let [c, h, w] = Self::usual(dims);
        (View::new(dims, [&c, &h, &w]), View::extents(dims, [&c, &h, &w]))
    }

    /// A value in the usual layout of its extents.
    ///
    /// # Errors
    /// A layout that takes too many steps.
    pub fn usually(&mut self, value: &Value) -> Result<Value, String> {
        let [c, h, w] = Self::usual(&value.view.dims());
        self.laid_out(value, [&c, &h, &w])
    }

    /// A feature map `[1,c,h,w]`, or `[1,c,w]` of one row.
    ///
    /// # Errors
    /// A value that is none.
    pub fn map(&mut self, value: &Value) -> Result<Value, String> {
        let dims = value.view.dims();
        match (dims.len(), dims.first()) {
            (4, Some(1)) => self.laid_out(value, [&[1], &[2], &[3]]),
            (3, Some(1)) => self.laid_out(value, [&[1], &[], &[2]]),
            (2, Some(1)) => self.laid_out(value, [&[1], &[], &[]]),
            _ => Err(format!("takes a feature map, not {dims:?}")),
        }
    }

    /// A value whose feature map is a matrix: these axes are its channels, those its pixels.
    ///
    /// # Errors
    /// A layout that takes too many steps.
    pub fn matrix(&mut self, value: &Value, channels: &[usize], pixels: &[usize]) -> Result<Value, String> {
        if self.is_matrix(value, channels, pixels) {
            Ok(value.clone())
        } else {
            self.laid_out(value, [channels, &[], pixels])
        }
    }

    /// Whether a value's feature map is such a matrix already.
    pub fn is_matrix(&self, value: &Value, channels: &[usize], pixels: &[usize]) -> bool {
        let [c, h, w] = self.extents(value.node);
        let of = |axes: &[usize]| joined(axes.iter().flat_map(|axis| value.view.axes[*axis].clone()).collect());
        let whole = |extents: &[(usize, usize)]| -> Vec<Atom> {
            let atoms = extents.iter().filter(|(_, extent)| *extent > 1);
            atoms.map(|&(axis, extent)| Atom { axis, extent, stride: 1 }).collect()
        };
        of(channels) == whole(&[(0, c)]) && of(pixels) == whole(&[(1, h), (2, w)])
    }

    /// A value repeated along axes where it has extent 1, as `target` lies on a feature map of `extents`. Along axes of
    /// the feature map that it lacks in full it keeps extent 1, unless it should be `full`.
    ///
    /// # Errors
    /// Extents that do not fit.
    pub fn repeated(
        &mut self,
        value: &Value,
        target: &View,
        extents: [usize; 3],
        full: bool,
    ) -> Result<NodeId, String> {
        let missing = target.rank().checked_sub(value.view.rank()).ok_or("has too few axes")?;
        let mut view = value.view.clone();
        view.axes.splice(0..0, vec![vec![]; missing]);
        let has = |axis: usize| view.extent(axis) > 1;
        // Parts of each axis as the target divides it.
        let divided: Option<Vec<Vec<Vec<Atom>>>> = (0..target.rank())
            .map(|axis| {
                let extents: Vec<usize> = target.axes[axis].iter().map(|atom| atom.extent).collect();
                let own = View { axes: vec![view.axes[axis].clone()] };
                if has(axis) { own.reshaped(&extents).map(|view| view.axes) } else { Some(vec![vec![]; extents.len()]) }
            })
            .collect();
        let Some(divided) = divided else {
            let value = self.usually(value)?;
            return self.repeated(&value, target, extents, full);
        };
        let filled = [0, 1, 2].map(|at| {
            full || (0..target.rank()).any(|axis| has(axis) && target.axes[axis].iter().any(|atom| atom.axis == at))
        });
        let mut digits = vec![];
        for (axis, divided) in divided.iter().enumerate() {
            for (atom, parts) in target.axes[axis].iter().zip(divided) {
                if !has(axis) {
                    if filled[atom.axis] {
                        digits.push(Digit { extent: atom.extent, from: None, to: Some((atom.axis, atom.stride)) });
                    }
                    continue;
                }
                let mut stride = atom.stride * atom.extent;
                for part in parts {
                    stride /= part.extent;
                    let from = Some((part.axis, part.stride));
                    digits.push(Digit { extent: part.extent, from, to: Some((atom.axis, stride)) });
                }
            }
        }
        let digits = merged(digits);
        let from = self.extents(value.node);
        let to = [0, 1, 2].map(|at| if filled[at] { extents[at] } else { 1 });
        if from == to && digits.iter().all(|digit| digit.from == digit.to) {
            return Ok(value.node);
        }
        self.moved(value.node, Rearrange { from: Side::whole(from), to: Side::whole(to), digits })
    }

    /// A value repeated to these extents.
    ///
    /// # Errors
    /// Extents that do not fit.
    pub fn expanded(&mut self, value: &Value, dims: &[usize]) -> Result<Value, String> {
        if value.view.dims() == dims {
            return Ok(value.clone());
        }
        counted(dims)?;
        let (view, extents) = Self::usual_view(dims);
        let node = self.repeated(value, &view, extents, true)?;
        Ok(Value { node, view })
    }

    /// A constant's numbers as they would lie on a feature map, repeated where it has extent 1.
    ///
    /// # Errors
    /// Extents that do not fit.
    pub fn constant(&mut self, constant: &Constant, view: &View, extents: [usize; 3]) -> Result<NodeId, String> {
        let constant = fold::repeated(constant, &view.dims())?;
        let mut numbers = vec![0.0; constant.len()];
        let values = constant.to_floats();
        view.places(extents).zip(values.iter()).for_each(|(at, value)| numbers[at] = *value);
        let values = self.param(&Constant::floats(extents.to_vec(), numbers), extents.to_vec());
        self.push(Op::Constant { values, shape: extents }, &[])
    }

    /// An operand as a value. A constant lies in the usual layout.
    ///
    /// # Errors
    /// A constant of too many axes.
    pub fn as_value(&mut self, operand: &Operand) -> Result<Value, String> {
        match operand {
            Operand::Value(value) => Ok(value.clone()),
            Operand::Constant(constant) => {
                let (view, extents) = Self::usual_view(&constant.dims);
                let node = self.constant(constant, &view, extents)?;
                Ok(Value { node, view })
            }
        }
    }
}

/// The value among operands, which must be one.
///
/// # Errors
/// A constant, or nothing.
pub fn value(operands: &Operands, i: usize) -> Result<&Value, String> {
    match operands.get(i) {
        Some(Some(Operand::Value(value))) => Ok(value),
        Some(Some(Operand::Constant(_))) => Err(format!("has a constant as operand {i}")),
        _ => Err(format!("has no operand {i}")),
    }
}

/// The constant among operands, if there is one.
///
/// # Errors
/// A value that is computed from the image.
pub fn constant(operands: &Operands, i: usize) -> Result<Option<&Constant>, String> {
    match operands.get(i) {
        Some(Some(Operand::Constant(constant))) => Ok(Some(constant)),
        Some(Some(Operand::Value(_))) => Err(format!("has an operand {i} that depends on the image")),
        _ => Ok(None),
    }
}

/// The constant among operands, which must be one.
///
/// # Errors
/// A value that is computed from the image, or nothing.
pub fn weights(operands: &Operands, i: usize) -> Result<&Constant, String> {
    constant(operands, i)?.ok_or_else(|| format!("has no operand {i}"))
}

/// What older operators have as an attribute, and newer ones as an operand.
///
/// # Errors
/// An operand that depends on the image.
pub fn list(node: &Node, operands: &Operands, name: &str, i: usize) -> Result<Option<Vec<i64>>, String> {
    Ok(match constant(operands, i)? {
        Some(constant) => Some(constant.to_ints().to_vec()),
        None => node.ints(name).map(<[i64]>::to_vec),
    })
}
