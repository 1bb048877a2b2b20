//! The CPU reference: plain f64 loops that execute the same graph as the GPU. The tests compare with it, and machines
//! without any graphics driver run it as their device.

mod cam;
mod channels;
mod classify;
mod elementwise;
mod linear;
mod masks;
mod matrix;
mod moves;
mod norm;
mod overlay;
mod planes;
mod window;

use crate::graph::{Graph, Kind, NodeId, Op, Shape};
pub use overlay::draw;

/// A node's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Row-major `[n,c,h,w]`.
    Numbers(Vec<f64>),
    /// Row-major RGBA.
    Pixels(Vec<u8>),
}

impl Value {
    /// The numbers. Empty if the value is a picture.
    pub fn numbers(&self) -> &[f64] {
        match self {
            Self::Numbers(numbers) => numbers,
            Self::Pixels(_) => &[],
        }
    }

    /// The RGBA bytes. Empty if the value is numbers.
    pub fn pixels(&self) -> &[u8] {
        match self {
            Self::Numbers(_) => &[],
            Self::Pixels(pixels) => pixels,
        }
    }

    fn fits(&self, kind: Kind, shape: Shape) -> bool {
        let numbers = shape.iter().product::<usize>();
        match self {
            Self::Numbers(v) => kind != Kind::Pixels && v.len() == numbers,
            Self::Pixels(v) => kind == Kind::Pixels && v.len() == shape[0] * shape[2] * shape[3] * 4,
        }
    }
}

/// Executes the nodes of `graph` that `outputs` need, and returns the values of `outputs`.
///
/// # Panics
/// If `inputs` lacks an input of the graph, or an input does not fit its shape. The caller builds both.
pub fn evaluate(graph: &Graph, inputs: &[(NodeId, Value)], outputs: &[NodeId]) -> Vec<Value> {
    let (needed, mut readers) = readers(graph, outputs);
    let mut values: Vec<Option<Value>> = vec![None; graph.nodes.len()];
    for (id, node) in graph.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
        let value = if node.op == Op::Input {
            let given = inputs.iter().find(|(input, _)| *input == id).map(|(_, value)| value.clone());
            given.expect("every input of the graph is given")
        } else {
            let operands: Vec<&Value> =
                node.inputs.iter().map(|&i| values[i].as_ref().expect("computed before")).collect();
            execute(graph, id, &operands)
        };
        assert!(value.fits(node.ty.kind, node.ty.shape), "node {id} is not of type {:?}", node.ty);
        values[id] = Some(value);
        for &i in &node.inputs {
            readers[i] -= 1;
            if readers[i] == 0 {
                values[i] = None;
            }
        }
    }
    outputs.iter().map(|&o| values[o].clone().expect("computed")).collect()
}

/// Which nodes `outputs` need, and how often each value is read.
fn readers(graph: &Graph, outputs: &[NodeId]) -> (Vec<bool>, Vec<usize>) {
    let needed = graph.needed(outputs);
    let mut readers = vec![0; graph.nodes.len()];
    outputs.iter().for_each(|&o| readers[o] += 1);
    for (node, _) in graph.nodes.iter().zip(&needed).filter(|(_, needed)| **needed) {
        node.inputs.iter().for_each(|&i| readers[i] += 1);
    }
    (needed, readers)
}

/// Bytes of memory that [`evaluate`] takes at most: the values that are still read, and a copy of the outputs or of the
/// largest weights.
pub fn memory(graph: &Graph, outputs: &[NodeId]) -> u64 {
    let bytes = |id: NodeId| {
        let [n, c, h, w] = graph.shape(id).map(|side| side as u64);
        if graph.nodes[id].ty.kind == Kind::Pixels { n * h * w * 4 } else { n * c * h * w * size_of::<f64>() as u64 }
    };
    let (needed, mut readers) = readers(graph, outputs);
    let (mut held, mut most) = (0, 0);
    for (id, node) in graph.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
        held += bytes(id);
        most = most.max(held);
        for &i in &node.inputs {
            readers[i] -= 1;
            held -= if readers[i] == 0 { bytes(i) } else { 0 };
        }
    }
    let weights =
        graph.params.iter().map(|param| param.shape.iter().product::<usize>() * size_of::<f32>()).max().unwrap_or(0);
    most + (weights as u64).max(outputs.iter().map(|&output| bytes(output)).sum())
}

fn execute(graph: &Graph, id: NodeId, operands: &[&Value]) -> Value {
    let node = &graph.nodes[id];
    let shape = node.ty.shape;
    let number = |i: usize| operands[i].numbers();
    let from = |i: usize| graph.shape(node.inputs[i]);
    let param = |p: usize| graph.params[p].values();
    Value::Numbers(match &node.op {
        Op::Input => unreachable!("inputs are given"),
        Op::Overlay(overlay) => {
            let photo = (operands[1].pixels(), from(1));
            return Value::Pixels(draw(overlay, (number(0), from(0)), photo, number(2)));
        }
        Op::Normalise { mean, std } => elementwise::normalise(operands[0].pixels(), shape, mean, std),
        Op::Pack | Op::Unpack => number(0).to_vec(),
        Op::Conv2d(conv) => {
            let bias = conv.bias.map(param);
            window::conv(number(0), from(0), &param(conv.weight), bias.as_deref(), conv, shape)
        }
        Op::Conv2dGrad { conv, .. } => window::conv_grad(number(0), from(0), &param(conv.weight), conv, shape),
        Op::Pool2d(pool) => window::pool(number(0), from(0), pool, shape),
        Op::Pool2dGrad(pool) => window::pool_grad(number(0), from(0), number(1), from(1), pool),
        Op::Linear(linear) => {
            let bias = linear.bias.map(param);
            linear::forward(number(0), &param(linear.weight), bias.as_deref(), shape)
        }
        Op::LinearGrad { linear, .. } => linear::grad(number(0), from(0), &param(linear.weight), shape),
        Op::ScaleShift { scale, shift } => {
            let shift = shift.map(param);
            elementwise::scale_shift(number(0), shape, &param(*scale), shift.as_deref())
        }
        Op::Activate(f) => elementwise::activate(*f, number(0)),
        Op::ActivateGrad(f) => elementwise::activate_grad(*f, number(0), number(1), shape, from(1)),
        Op::Concat => channels::concat(number(0), from(0), number(1), from(1)),
        Op::Slice { start, .. } => channels::gather(number(0), from(0), shape, |c| Some(c + start)),
        Op::SliceGrad { start, .. } => {
            let given = from(0)[1];
            channels::gather(number(0), from(0), shape, |c| c.checked_sub(*start).filter(|c| *c < given))
        }
        Op::Shuffle { groups } => {
            let each = shape[1] / groups;
            channels::gather(number(0), from(0), shape, |c| Some(c % groups * each + c / groups))
        }
        Op::Gate => channels::gate(number(0), from(0), number(1), from(1)),
        Op::GateGrad => channels::gate_grad(number(0), from(0), number(1), from(1)),
        Op::LayerNorm(norm) => norm::layer_norm(number(0), shape, &param(norm.weight), &param(norm.bias), norm.eps),
        Op::LayerNormGrad(norm) => {
            norm::layer_norm_grad(number(0), shape, number(1), from(1), &param(norm.weight), norm.eps)
        }
        Op::AdaptivePool { .. } => window::adaptive_pool(number(0), from(0), shape),
        Op::AdaptivePoolGrad { .. } => window::adaptive_pool_grad(number(0), from(0), shape),
        Op::Add => number(0).iter().zip(number(1)).map(|(a, b)| a + b).collect(),
        Op::Mean => elementwise::mean(number(0), from(0)),
        Op::Constant { values, .. } => param(*values).iter().map(|v| f64::from(*v)).collect(),
        Op::Rearrange(moves) => moves::rearrange(number(0), moves, shape),
        Op::Broadcast(op) => moves::broadcast(*op, number(0), shape, number(1), from(1)),
        Op::Contract(contract) => matrix::contract(*contract, number(0), from(0), number(1), from(1), shape),
        Op::Softmax => matrix::softmax(number(0), shape),
        Op::SoftmaxGrad => matrix::softmax_grad(number(0), shape, number(1), from(1)),
        Op::MeanGrad { input: [h, w] } => elementwise::mean_grad(number(0), h * w),
        Op::ClassWeights(class) => linear::class_weights(number(0), &param(class.linear.weight), class),
        Op::ClassOuter { requests, maps } => {
            linear::class_outer(number(0), number(1), from(1), number(2), *requests, *maps)
        }
        Op::Select => classify::select(number(0), from(0), number(1), from(1)),
        Op::Seed { classes, requests, maps } => classify::seed(number(0), *classes, *requests, *maps),
        Op::WeightedSum(term) => cam::weighted_sum(*term, number(0), from(0), number(1), from(1)),
        Op::ChannelWeights { weighing, eps } => {
            cam::channel_weights(*weighing, f64::from(*eps), number(0), from(0), number(1), from(1))
        }
        Op::PlaneMax => cam::plane_max(number(0), from(0)),
        Op::Magnitude => cam::magnitude(number(0), from(0)),
        Op::Eigenvector { root, indefinite } => cam::eigenvector(number(0), shape[1], *root, *indefinite),
        Op::Orient => cam::orient(number(0), shape, number(1)),
        Op::Unfold => number(0).to_vec(),
        Op::Columns { count } => moves::columns(number(0), shape, *count),
        Op::Vary { omission, first, count } => moves::vary(number(0), from(0), *omission, *first, *count),
        Op::Masks { mask, first, .. } => masks::masks(*mask, *first, shape),
        Op::Mirror => moves::mirror(number(0), from(0)),
        Op::Stack => [number(0), number(1)].concat(),
        Op::MinMax => cam::min_max(number(0), from(0)),
        Op::ResizedRange { to: [h, w] } => cam::resized_range(number(0), from(0), [*h, *w]),
        Op::Rescale(scaling) => cam::rescale(number(0), shape, number(1), *scaling),
        Op::Noise { key, deviation } => elementwise::noise(number(0), shape, number(1), *key, f64::from(*deviation)),
        Op::Percentile { part } => cam::percentile(number(0), from(0), f64::from(*part)),
        Op::Resize { by, .. } => cam::resize(number(0), from(0), shape, *by),
    })
}
