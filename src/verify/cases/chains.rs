//! Kernels that do more than their own operation: epilogues, prologues, fusions and views, forward and backward.

use crate::graph::{Activation, NodeId, Op, Pool2d, Rule, Shape, Window, gradients};
use crate::kernels::{Costs, Profile};
use crate::verify::case::Case;
use crate::verify::net::Net;
use crate::verify::variants::Scope;

/// Relative to the largest value, also after a few layers. Some of these use Winograd, whose transforms lose digits
/// by cancellation: one such layer is accurate to 7e-6.
const TOLERANCE: f64 = 1e-5;

/// A profile for a device that even the smallest maps occupy fully, so that only the amount of work decides.
fn busy(profile: Profile) -> Profile {
    Profile { costs: Costs { parallel: 1.0, wait: 0.0, ..profile.costs }, ..profile }
}

/// As `busy`, and stores cost much more than products.
fn dear(profile: Profile) -> Profile {
    let profile = busy(profile);
    let costs = Costs { product: 1.0, broadcast: 0.1, store: 1e5, ..profile.costs };
    Profile { costs, sums: 32, ..profile }
}

fn activated(net: &mut Net, x: NodeId, f: Activation) -> NodeId {
    net.op(Op::Activate(f), &[x])
}

pub fn cases() -> Vec<Case> {
    let mut all = vec![];
    all.extend(joins());
    all.extend(winograd());
    all.extend(pools());
    all.extend(separable());
    all.push(concatenations());
    all.extend(prologues());
    all.extend(heads());
    all
}

/// Residuals, activations and their gradients as epilogues of every kind of convolution, forward and backward.
fn joins() -> Vec<Case> {
    let kinds = [
        ("1×1", Window::square(1, 1, 0), 1, Activation::Silu),
        ("5×5", Window::square(5, 1, 2), 1, Activation::Relu),
        ("grouped", Window::square(3, 1, 1), 2, Activation::Relu),
        ("strided", Window::square(3, 2, 1), 1, Activation::Relu),
        ("depthwise", Window::square(3, 1, 1), 16, Activation::Relu),
    ];
    let case = |(name, window, groups, f): (&str, Window, usize, Activation)| {
        let mut net = Net::new(3);
        let x = net.features([2, 16, 13, 10]);
        // An activation's gradient before, a residual in between, an activation's gradient of the mean after.
        let a = activated(&mut net, x, f);
        let y = net.conv(a, 16, window, groups);
        let other = net.features(net.graph.shape(y));
        let z = net.op(Op::Add, &[y, other]);
        let z = activated(&mut net, z, f);
        let mean = net.op(Op::Mean, &[z]);
        let seed = net.features(net.graph.shape(mean));
        // There are two paths to `a`, so that one gradient is added to another.
        let b = net.conv(a, 16, window, groups);
        let b = net.op(Op::Add, &[b, z]);
        let seed_b = net.features(net.graph.shape(b));
        let of_mean = gradients(&mut net.graph, mean, seed, &[x], Rule::Standard).expect("a path")[0];
        let of_sum = gradients(&mut net.graph, b, seed_b, &[a], Rule::Standard).expect("a path")[0];
        Case::of(format!("residual and slopes, {name}"), TOLERANCE, net, &[z, b, of_mean, of_sum])
    };
    kinds.map(case).into()
}

/// Winograd convolutions with odd sizes, uneven padding, channels not divisible by four, chunks, and an activation's
/// gradient in the backward pass.
fn winograd() -> Vec<Case> {
    let window = |pad_start: [usize; 2], pad_end: [usize; 2]| Window { pad_start, pad_end, ..Window::square(3, 1, 0) };
    let kinds = [
        ([1, 50, 17, 30], 47, window([1; 2], [1; 2])),
        ([1, 64, 7, 7], 64, window([2, 0], [1, 2])),
        ([3, 48, 37, 29], 49, window([1; 2], [1; 2])),
    ];
    let case = |(shape, out, window): (Shape, usize, Window)| {
        let mut net = Net::new(4);
        let x = net.features(shape);
        let a = activated(&mut net, x, Activation::Relu);
        let y = net.conv(a, out, window, 1);
        let dy = net.features(net.graph.shape(y));
        let dx = gradients(&mut net.graph, y, dy, &[x], Rule::Standard).expect("a path")[0];
        Case::of(format!("winograd {shape:?} to {out}"), TOLERANCE, net, &[y, dx]).forced(busy)
    };
    kinds.map(case).into()
}

/// Max pools as epilogues of Winograd's tiles, and of a first convolution with few channels.
fn pools() -> Vec<Case> {
    let of_winograd = |size: [usize; 2]| {
        let mut net = Net::new(10);
        let x = net.features([2, 48, size[0], size[1]]);
        let y = net.conv(x, 50, Window::square(3, 1, 1), 1);
        let y = activated(&mut net, y, Activation::HardSwish);
        let y = net.op(Pool2d::max(2, 2, 0, false), &[y]);
        Case::of(format!("winograd and pool {size:?}"), TOLERANCE, net, &[y]).forced(busy)
    };
    let rectangle =
        Window { kernel: [5, 2], stride: [1, 3], pad_start: [2, 0], pad_end: [1, 1], ..Window::square(3, 1, 1) };
    let dilated = Window { dilation: [2; 2], ..Window::square(3, 1, 2) };
    let first = [
        ([2, 3, 43, 31], Window::square(3, 2, 0), 13, Some(Activation::Relu), Pool2d::max(3, 2, 0, true)),
        ([3, 4, 21, 14], Window::square(3, 1, 1), 34, None, Pool2d::max(3, 2, 0, false)),
        ([1, 1, 19, 23], rectangle, 6, Some(Activation::Sigmoid), Pool2d::max(3, 2, 1, false)),
        ([1, 2, 10, 40], dilated, 30, Some(Activation::Relu6), Pool2d::max(3, 2, 0, true)),
    ];
    let of_first = |(shape, window, out, f, pool): (Shape, Window, usize, Option<Activation>, Op)| {
        let mut net = Net::new(12);
        let x = net.features(shape);
        let mut y = net.conv(x, out, window, 1);
        if let Some(f) = f {
            y = activated(&mut net, y, f);
        }
        let y = net.op(pool, &[y]);
        let case = Case::of(format!("first convolution and pool {shape:?}"), TOLERANCE, net, &[y]).forced(dear);
        if shape[1] == 4 { case.within(Scope::Weights) } else { case }
    };
    [[13, 19], [14, 12]].map(of_winograd).into_iter().chain(first.map(of_first)).collect()
}

/// Depthwise and 1×1 convolutions in one kernel, with a residual, and whole inverted residual blocks.
fn separable() -> Vec<Case> {
    let rectangle = Window { kernel: [3, 5], pad_start: [1, 2], pad_end: [1, 2], ..Window::square(3, 1, 1) };
    let dilated = Window { dilation: [2; 2], ..Window::square(3, 1, 2) };
    let square = Window::square(1, 1, 0);
    let pairs = [
        ([2, 16, 14, 21], Window::square(3, 1, 1), 16, Activation::Relu6, true),
        ([3, 10, 13, 17], Window::square(3, 2, 1), 13, Activation::HardSwish, false),
        ([1, 13, 8, 11], rectangle, 13, Activation::Silu, true),
        ([2, 6, 11, 12], dilated, 15, Activation::Relu6, false),
    ];
    let pair = |(shape, window, out, f, residual): (Shape, Window, usize, Activation, bool)| {
        let mut net = Net::new(8);
        let x = net.features(shape);
        let z = net.conv(x, shape[1], window, shape[1]);
        let z = activated(&mut net, z, f);
        let mut y = net.conv(z, out, square, 1);
        if residual {
            let other = net.features(net.graph.shape(y));
            y = net.op(Op::Add, &[y, other]);
            y = activated(&mut net, y, Activation::Relu);
        }
        Case::of(format!("separable {shape:?} to {out}"), TOLERANCE, net, &[y]).forced(busy)
    };
    let shifted = Window { pad_start: [0, 1], pad_end: [1, 1], ..Window::square(3, 2, 0) };
    let blocks = [
        ([3, 10, 13, 17], 21, Window::square(3, 2, 1), 13, Activation::HardSwish),
        ([1, 3, 12, 17], 12, shifted, 10, Activation::Sigmoid),
    ];
    let block = |(shape, hidden, window, out, f): (Shape, usize, Window, usize, Activation)| {
        let mut net = Net::new(9);
        let x = net.features(shape);
        let u = net.conv(x, hidden, square, 1);
        let u = activated(&mut net, u, f);
        let z = net.conv(u, hidden, window, hidden);
        let z = activated(&mut net, z, Activation::Relu);
        let y = net.conv(z, out, square, 1);
        let y = activated(&mut net, y, Activation::Silu);
        let case = Case::of(format!("inverted residual {shape:?} to {out}"), TOLERANCE, net, &[y]).forced(dear);
        if shape[1] == 3 { case.within(Scope::Weights) } else { case }
    };
    pairs.map(pair).into_iter().chain(blocks.map(block)).collect()
}

/// A dense block and an inception block. Values are written in place where channels fill blocks, and copied
/// elsewhere.
fn concatenations() -> Case {
    let square = Window::square(1, 1, 0);
    let mut net = Net::new(5);
    let input = net.features([2, 8, 9, 11]);
    let x = net.op(Pool2d::max(3, 2, 1, false), &[input]);
    let mut all = x;
    for _ in 0..2 {
        let norm = net.scale_shift(all);
        let norm = activated(&mut net, norm, Activation::Relu);
        let new = net.conv(norm, 8, Window::square(3, 1, 1), 1);
        all = net.op(Op::Concat, &[all, new]);
    }
    let a = net.conv(all, 8, square, 1);
    let b = net.conv(a, 16, square, 1);
    let c = net.conv(all, 8, square, 1);
    let c = net.op(Op::Add, &[c, a]);
    let ab = net.op(Op::Concat, &[a, b]);
    let abc = net.op(Op::Concat, &[ab, c]);
    let twice = net.op(Op::Concat, &[abc, abc]);
    let end = net.conv(twice, 5, square, 1);
    // A value that lies behind other channels is read as a view.
    let norm = net.scale_shift(b);
    let inside = net.conv(norm, 6, square, 1);
    Case::of("concatenations in place", TOLERANCE, net, &[all, end, inside])
}

/// Batch norms and gates as prologues of 1×1 convolutions of several images, with a residual as epilogue.
fn prologues() -> Vec<Case> {
    let square = Window::square(1, 1, 0);
    let case = |(channels, out): (usize, usize)| {
        let mut net = Net::new(7);
        let x = net.features([3, channels, 9, 13]);
        let a = net.conv(x, channels, square, 1);
        let block = net.op(Op::Concat, &[a, x]);
        let norm = net.scale_shift(block);
        let norm = activated(&mut net, norm, Activation::Silu);
        let y = net.conv(norm, out, square, 1);
        let gate = net.op(Op::Mean, &[y]);
        let gate = activated(&mut net, gate, Activation::Sigmoid);
        let gated = net.op(Op::Gate, &[y, gate]);
        let z = net.conv(gated, out, square, 1);
        let z = net.op(Op::Add, &[z, y]);
        Case::of(format!("batch norm and gate, {channels} to {out}"), TOLERANCE, net, &[z])
    };
    [(8, 24), (10, 6)].map(case).into()
}

/// From logits to gradients: selection of classes, seeds, and the shorter backward passes of heads.
fn heads() -> Vec<Case> {
    let seeded = |net: &mut Net, logits: NodeId, target: NodeId| {
        let [_, classes, ..] = net.graph.shape(logits);
        let requests = net.plain([2, 3, 1, 1], vec![-1.0, 36.0, 2.0, 5.0, -1.0, 7.0]);
        let records = net.op(Op::Select, &[logits, requests]);
        let seed = net.op(Op::Seed { classes, requests: 3, maps: 2 }, &[records]);
        let gradient = gradients(&mut net.graph, logits, seed, &[target], Rule::Standard).expect("a path")[0];
        let weights = crate::graph::gradient_mean(&mut net.graph, gradient).expect("a gradient");
        vec![logits, records, seed, gradient, weights]
    };
    let case = |head: &str| {
        let mut net = Net::new(6);
        let x = net.features([2, 9, 5, 4]);
        let logits = match head {
            "linear" => net.linear(x, 37),
            "pool and linear" => {
                let mean = net.op(Op::Mean, &[x]);
                net.linear(mean, 37)
            }
            _ => {
                let scores = net.conv(x, 37, Window::square(1, 1, 0), 1);
                let scores = activated(&mut net, scores, Activation::Relu);
                net.op(Op::Mean, &[scores])
            }
        };
        let values = seeded(&mut net, logits, x);
        Case::of(format!("head of {head}"), TOLERANCE, net, &values).within(Scope::Weights)
    };
    ["linear", "pool and linear", "convolution and pool"].map(case).into()
}
