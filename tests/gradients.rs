//! The CPU reference's backward passes compared with central finite differences, and whole truncated backward passes
//! on the GPU compared with the CPU reference.

mod common;

use common::{Random, error, every_gpu, features, run_cpu, run_gpu};
use gradcam::graph::{
    Activation, Arithmetic, Contract, Conv2d, Digit, Form, Graph, Kind, LayerNorm, Linear, NodeId, Op, Pool2d,
    PoolKind, Rearrange, Rule, Side, Window, gradients,
};

/// With this step, f64 differences of these functions are accurate to about 1e-9.
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-7;

/// Compares the gradient of `loss = Σ seed · network(x)` by the graph's backward pass with finite differences.
fn check(name: &str, shape: [usize; 4], network: impl Fn(&mut Graph, &mut Random, NodeId) -> NodeId) {
    let mut random = Random(name.bytes().map(u64::from).sum());
    let (mut graph, mut inputs) = (Graph::default(), vec![]);
    let x = features(&mut graph, &mut random, &mut inputs, shape);
    let y = network(&mut graph, &mut random, x);
    let seed_shape = graph.shape(y);
    let seed = features(&mut graph, &mut random, &mut inputs, seed_shape);
    let dx = gradients(&mut graph, y, seed, &[x], Rule::Standard).unwrap()[0];
    let outputs = [graph.push(Op::Unpack, &[y]).unwrap(), graph.push(Op::Unpack, &[dx]).unwrap()];

    let loss = |values: &[f64]| {
        let wide = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect();
        let given = [(inputs[0].0, values.to_vec()), (inputs[1].0, wide(&inputs[1].1))];
        let given = given.map(|(id, v)| (id, gradcam::reference::Value::Numbers(v)));
        let y = gradcam::reference::evaluate(&graph, &given, &outputs[..1]);
        y[0].numbers().iter().zip(&inputs[1].1).map(|(y, s)| y * f64::from(*s)).sum::<f64>()
    };
    let analytic = &run_cpu(&graph, &inputs, &outputs)[1];
    let values: Vec<f64> = inputs[0].1.iter().map(|&v| f64::from(v)).collect();
    let scale = analytic.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    assert!(scale > 0.0, "{name}: the gradient is zero");
    for i in 0..values.len() {
        let shifted = |by: f64| {
            let mut values = values.clone();
            values[i] += by;
            loss(&values)
        };
        let difference = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
        let error = (difference - analytic[i]).abs() / scale;
        assert!(
            error < TOLERANCE,
            "{name}: element {i}: {} by differences, {} by the backward pass",
            difference,
            analytic[i]
        );
    }
}

fn conv(g: &mut Graph, r: &mut Random, x: NodeId, out: usize, window: Window, groups: usize) -> NodeId {
    let input = g.shape(x)[1];
    let weight = r.param(g, &[out, input / groups, window.kernel[0], window.kernel[1]]);
    let bias = Some(r.param(g, &[out]));
    g.push(Op::Conv2d(Conv2d { weight, bias, out_channels: out, window, groups }), &[x]).unwrap()
}

fn linear(g: &mut Graph, r: &mut Random, x: NodeId, out: usize) -> NodeId {
    let [_, c, h, w] = g.shape(x);
    let weight = r.param(g, &[out, c * h * w]);
    g.push(Op::Linear(Linear { weight, bias: None, out_features: out }), &[x]).unwrap()
}

#[test]
fn convolution() {
    let odd = Window { kernel: [3, 2], stride: [2, 1], pad_start: [1, 0], pad_end: [0, 1], dilation: [1, 2] };
    for (window, groups) in [
        (Window::square(1, 1, 0), 1),
        (Window::square(3, 1, 1), 1),
        (Window::square(3, 2, 1), 3),
        (Window::same(5, 2, [5, 6]), 6),
        (odd, 2),
    ] {
        check(&format!("{window:?} in {groups} groups"), [2, 6, 5, 6], |g, r, x| conv(g, r, x, 6, window, groups));
    }
}

#[test]
fn layers() {
    let pool = |kind, ceil_mode| Op::Pool2d(Pool2d { kind, window: Window::square(3, 2, 1), ceil_mode });
    let average = |count_include_pad| PoolKind::Average { count_include_pad };
    for op in [pool(PoolKind::Max, false), pool(average(true), true), pool(average(false), true), Op::Mean] {
        check(&format!("{op:?}"), [2, 3, 6, 5], |g, _, x| g.push(op.clone(), &[x]).unwrap());
    }
    for f in Activation::ALL {
        // The values cover all kinks of the functions; no element of the random input lies within a step of one.
        check(&format!("{f:?}"), [1, 3, 4, 5], |g, r, x| {
            let wide = conv(g, r, x, 8, Window::square(1, 1, 0), 1);
            let wide = conv(g, r, wide, 8, Window::square(3, 1, 1), 1);
            // Some functions have no value below 0.
            let wide = if f.is_tame() { wide } else { g.push(Op::Activate(Activation::Softplus), &[wide]).unwrap() };
            g.push(Op::Activate(f), &[wide]).unwrap()
        });
    }
    check("linear", [2, 3, 2, 3], |g, r, x| linear(g, r, x, 5));
    check("scale and shift", [2, 3, 2, 3], |g, r, x| {
        let (scale, shift) = (r.param(g, &[3]), Some(r.param(g, &[3])));
        g.push(Op::ScaleShift { scale, shift }, &[x]).unwrap()
    });
    check("layer norm", [2, 5, 2, 3], |g, r, x| {
        let norm = LayerNorm { weight: r.param(g, &[5]), bias: r.param(g, &[5]), eps: 1e-5 };
        g.push(Op::LayerNorm(norm), &[x]).unwrap()
    });
    for to in [[2, 2], [3, 4], [7, 5]] {
        check(&format!("adaptive pool to {to:?}"), [1, 3, 5, 4], |g, _, x| {
            g.push(Op::AdaptivePool { to }, &[x]).unwrap()
        });
    }
    check("shuffled slices, joined", [2, 6, 2, 3], |g, _, x| {
        let halves = [0, 2].map(|start| g.push(Op::Slice { start, channels: 4 }, &[x]).unwrap());
        let joined = g.push(Op::Concat, &halves).unwrap();
        g.push(Op::Shuffle { groups: 2 }, &[joined]).unwrap()
    });
    check("squeeze and excitation", [2, 6, 3, 4], |g, r, x| {
        let squeezed = g.push(Op::Mean, &[x]).unwrap();
        let excited = conv(g, r, squeezed, 6, Window::square(1, 1, 0), 1);
        let gate = g.push(Op::Activate(Activation::Sigmoid), &[excited]).unwrap();
        g.push(Op::Gate, &[x, gate]).unwrap()
    });
    check("x + f(x) + f(x)", [1, 4, 3, 4], |g, r, x| {
        let y = conv(g, r, x, 4, Window::square(3, 1, 1), 1);
        let once = g.push(Op::Add, &[x, y]).unwrap();
        g.push(Op::Add, &[once, y]).unwrap()
    });
}

/// Rows and columns exchanged, a border of zeros, every second column; four channels added; pixels repeated.
fn rearrangements() -> [(&'static str, Rearrange); 5] {
    let digit = |extent, from, to| Digit { extent, from, to };
    let place = |axis: usize, stride: usize| Some((axis, stride));
    let of = |from: [usize; 3], to: [usize; 3], digits: &[Digit]| Rearrange {
        from: Side::whole(from),
        to: Side::whole(to),
        digits: digits.to_vec(),
    };
    let kept = digit(6, place(0, 1), place(0, 1));
    let exchange =
        [digit(3, place(0, 2), place(1, 1)), digit(2, place(0, 1), place(0, 4)), digit(4, place(1, 1), place(0, 1))];
    let exchange = [&exchange[..], &[digit(5, place(2, 1), place(2, 1))]].concat();
    let mut border =
        of([6, 4, 5], [6, 7, 6], &[kept, digit(4, place(1, 1), place(1, 1)), digit(5, place(2, 1), place(2, 1))]);
    border.to.start = [0, 2, 1];
    let mut second =
        of([6, 4, 5], [6, 4, 2], &[kept, digit(4, place(1, 1), place(1, 1)), digit(2, place(2, 2), place(2, 1))]);
    second.from.start = [0, 0, 1];
    let added = [digit(2, place(0, 3), None), digit(3, place(0, 1), place(0, 1)), digit(4, place(1, 1), None)];
    let added = [&added[..], &[digit(5, place(2, 1), place(2, 1))]].concat();
    let repeated =
        [kept, digit(2, None, place(1, 1)), digit(4, place(1, 1), place(1, 2)), digit(5, place(2, 1), place(2, 1))];
    [
        ("exchange", of([6, 4, 5], [8, 3, 5], &exchange)),
        ("border", border),
        ("second", second),
        ("added", of([6, 4, 5], [3, 1, 5], &added)),
        ("repeated", of([6, 4, 5], [6, 8, 5], &repeated)),
    ]
}

#[test]
fn moves_and_matrices() {
    for (name, moves) in rearrangements() {
        check(name, [2, 6, 4, 5], |g, r, x| {
            let x = conv(g, r, x, 6, Window::square(1, 1, 0), 1);
            g.push(Op::Rearrange(moves.clone()), &[x]).unwrap()
        });
    }
    for op in [Arithmetic::Add, Arithmetic::Multiply] {
        for lacks in [[1, 4, 5], [6, 1, 5], [6, 1, 1], [1, 1, 1], [6, 4, 5]] {
            check(&format!("{op:?} of {lacks:?}"), [2, 6, 4, 5], |g, r, x| {
                // The second operand depends on the input too.
                let digit = |axis: usize| Digit {
                    extent: [6, 4, 5][axis],
                    from: Some((axis, 1)),
                    to: (lacks[axis] > 1).then_some((axis, 1)),
                };
                let moves = Rearrange {
                    from: Side::whole([6, 4, 5]),
                    to: Side::whole(lacks),
                    digits: (0..3).map(digit).collect(),
                };
                let less = conv(g, r, x, 6, Window::square(1, 1, 0), 1);
                let less = g.push(Op::Rearrange(moves), &[less]).unwrap();
                g.push(Op::Broadcast(op), &[x, less]).unwrap()
            });
        }
    }
    check("constant", [2, 3, 2, 3], |g, r, x| {
        let values = r.param(g, &[3, 2, 3]);
        let constant = g.push(Op::Constant { values, shape: [3, 2, 3] }, &[]).unwrap();
        g.push(Op::Broadcast(Arithmetic::Multiply), &[x, constant]).unwrap()
    });
    check("attention", [2, 6, 2, 3], |g, r, x| {
        let [q, k, v] = [0; 3].map(|_| conv(g, r, x, 6, Window::square(1, 1, 0), 1));
        let contract = |g: &mut Graph, form, a, b| g.push(Op::Contract(Contract { form, groups: 2 }), &[a, b]).unwrap();
        let scores = contract(g, Form::Channels, k, q);
        let weights = g.push(Op::Softmax, &[scores]).unwrap();
        let mixed = contract(g, Form::Pixels([2, 3]), v, weights);
        contract(g, Form::Across, weights, mixed)
    });
    check("transposed convolution", [2, 6, 3, 4], |g, r, x| {
        let window = Window::square(3, 2, 1);
        let weight = r.param(g, &[6, 2, 3, 3]);
        let conv = Conv2d { weight, bias: None, out_channels: 6, window, groups: 2 };
        g.push(Op::Conv2dGrad { conv, input: [6, 7], in_channels: 4 }, &[x]).unwrap()
    });
}

/// A small network with every operation: gradients at several layers at once and for several classes per image, on
/// every GPU variant.
#[test]
fn truncated_backward_on_the_gpu() {
    let mut random = Random(3);
    let (mut graph, mut inputs) = (Graph::default(), vec![]);
    let g = &mut graph;
    let x = features(g, &mut random, &mut inputs, [2, 3, 19, 14]);
    let r = &mut random;
    let stem = conv(g, r, x, 10, Window::square(3, 2, 1), 1);
    let early = g.push(Op::Activate(Activation::HardSwish), &[stem]).unwrap();
    let pool = Pool2d { kind: PoolKind::Max, window: Window::square(3, 2, 1), ceil_mode: true };
    let pooled = g.push(Op::Pool2d(pool), &[early]).unwrap();
    let wide = conv(g, r, pooled, 10, Window::square(3, 1, 1), 10);
    let wide = g.push(Op::Activate(Activation::Relu6), &[wide]).unwrap();
    let middle = g.push(Op::Add, &[wide, pooled]).unwrap();
    let last = conv(g, r, middle, 12, Window::square(1, 2, 0), 2);
    let last = g.push(Op::Activate(Activation::Silu), &[last]).unwrap();
    let mean = g.push(Op::Mean, &[last]).unwrap();
    let logits = linear(g, r, mean, 7);
    let requests = g.input(Kind::Plain, [2, 3, 1, 1]);
    inputs.push((requests, vec![-1.0, 4.0, -1.0, 0.0, -1.0, 6.0]));
    let records = g.push(Op::Select, &[logits, requests]).unwrap();
    let seed = g.push(Op::Seed { classes: 7, requests: 3, maps: 3 }, &[records]).unwrap();
    let grads = gradients(g, logits, seed, &[early, middle, last], Rule::Standard).unwrap();
    assert!(grads.iter().all(|id| g.shape(*id)[0] == 6), "three maps of each of two images");
    let outputs: Vec<NodeId> = grads.iter().map(|id| g.push(Op::Unpack, &[*id]).unwrap()).collect();
    let truth = run_cpu(&graph, &inputs, &outputs);
    for (variant, gpu) in every_gpu() {
        let (found, _) = run_gpu(&gpu, &graph, &inputs, &outputs);
        for (found, truth) in found.iter().zip(&truth) {
            assert!(truth.iter().any(|v| *v != 0.0));
            assert!(error(found, truth) < 3e-6, "{variant}: {:e}", error(found, truth));
        }
    }
}

/// The gradient of `Σ w · ReLU(x)` at the pixels by each rule: kept where it is positive, where the input was
/// positive, or where both are.
#[test]
fn rules_of_relu() {
    let gpus = every_gpu();
    let [x, w] = [[1.0, -2.0, 3.0, -4.0], [-1.0, 2.0, 3.0, -4.0]];
    for (rule, expected) in [
        (Rule::Standard, [-1.0, 0.0, 3.0, 0.0]),
        (Rule::Guided, [0.0, 0.0, 3.0, 0.0]),
        (Rule::Deconvolution, [0.0, 2.0, 3.0, 0.0]),
    ] {
        let mut graph = Graph::default();
        let pixels = graph.input(Kind::Plain, [1, 4, 1, 1]);
        let features = graph.push(Op::Pack, &[pixels]).unwrap();
        let y = graph.push(Op::Activate(Activation::Relu), &[features]).unwrap();
        let seed = graph.input(Kind::Plain, [1, 4, 1, 1]);
        let dy = graph.push(Op::Pack, &[seed]).unwrap();
        let dx = gradients(&mut graph, y, dy, &[features], rule).unwrap()[0];
        let output = [graph.push(Op::Unpack, &[dx]).unwrap()];
        let inputs = [(pixels, x.to_vec()), (seed, w.to_vec())];
        assert_eq!(run_cpu(&graph, &inputs, &output)[0], expected, "{rule:?}");
        for (variant, gpu) in &gpus {
            let (found, _) = run_gpu(gpu, &graph, &inputs, &output);
            assert_eq!(found[0], expected.map(|v| v as f32), "{variant} {rule:?}");
        }
    }
}
