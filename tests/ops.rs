//! Every kernel and variant compared with the CPU reference, for odd shapes, W ≠ H, strides, padding, groups and
//! channels not divisible by 4, with and without the shaders' run-time checks.
//!
//! Takes several minutes on two cores: every case runs in every profile, with and without run-time checks, and
//! convolutions also with each macro tile. With a software driver, kernels are compiled and executed on the CPU.

mod common;

use common::{Random, error, every_gpu, features, gpus, macro_tiles, run_cpu, run_gpu, short_runs};
use gradcam::cam::{self, Asked, Layer, Method, Normalise};
use gradcam::gpu::Gpu;
use gradcam::graph::{
    Activation, Conv2d, Graph, Interpolation, Kind, LayerNorm, Linear, NodeId, Op, Pool2d, PoolKind, Scaling, Shape,
    Term, Window,
};
use gradcam::kernels::{Factors, Operand, Profile};
use gradcam::plan::Plan;
use gradcam::verify::net::half;

/// Relative to the largest value: f32 sums of a few thousand products.
const TOLERANCE: f64 = 3e-6;
/// For convolutions that may use Winograd, see `fusion.rs`.
const WINOGRAD_TOLERANCE: f64 = 1e-5;

struct Case {
    name: String,
    graph: Graph,
    inputs: Vec<(NodeId, Vec<f32>)>,
    outputs: Vec<NodeId>,
}

/// A graph of one operation on random features. Its output is read back.
fn case(name: String, shapes: &[Shape], op: impl FnOnce(&mut Graph, &mut Random) -> Op) -> Case {
    let mut random = Random(name.bytes().map(u64::from).sum());
    let (mut graph, mut inputs) = (Graph::default(), vec![]);
    let operands: Vec<NodeId> = shapes.iter().map(|s| features(&mut graph, &mut random, &mut inputs, *s)).collect();
    let op = op(&mut graph, &mut random);
    let value = graph.push(op, &operands).unwrap_or_else(|e| panic!("{name}: {e}"));
    let output = match graph.nodes[value].ty.kind {
        Kind::Features => graph.push(Op::Unpack, &[value]).unwrap(),
        _ => value,
    };
    Case { name, graph, inputs, outputs: vec![output] }
}

fn check(cases: Vec<Case>) {
    check_on(every_gpu(), TOLERANCE, cases);
}

fn check_on(gpus: Vec<(String, Gpu)>, tolerance: f64, cases: Vec<Case>) {
    for (variant, gpu) in gpus {
        for case in &cases {
            let truth = run_cpu(&case.graph, &case.inputs, &case.outputs);
            let (found, _) = run_gpu(&gpu, &case.graph, &case.inputs, &case.outputs);
            for (found, truth) in found.iter().zip(&truth) {
                let error = error(found, truth);
                assert!(error <= tolerance, "{} ({variant}): error {error:e}", case.name);
            }
        }
    }
}

fn window(
    kernel: [usize; 2],
    stride: [usize; 2],
    pad_start: [usize; 2],
    pad_end: [usize; 2],
    dilation: [usize; 2],
) -> Window {
    Window { kernel, stride, pad_start, pad_end, dilation }
}

/// Windows of all kinds: asymmetric kernels and padding, strides on even and odd sizes, dilation.
fn windows() -> Vec<Window> {
    vec![
        Window::square(1, 1, 0),
        Window::square(1, 2, 0),
        Window::square(3, 1, 1),
        Window::square(3, 1, 0),
        Window::square(3, 2, 1),
        Window::same(3, 2, [9, 12]),
        Window::same(5, 2, [9, 12]),
        window([3, 5], [1, 1], [1, 2], [1, 2], [1, 1]),
        window([5, 3], [2, 1], [2, 0], [1, 1], [1, 1]),
        window([3, 3], [1, 1], [2, 2], [2, 2], [2, 2]),
        window([3, 2], [2, 3], [0, 1], [1, 0], [2, 1]),
        window([7, 7], [2, 2], [3, 3], [3, 3], [1, 1]),
        window([2, 2], [1, 1], [2, 2], [2, 2], [1, 1]),
    ]
}

/// Number of images, input channels, output channels, groups.
const CHANNELS: [[usize; 4]; 8] = [
    [1, 3, 8, 1],
    [2, 5, 7, 1],
    [1, 16, 20, 1],
    [2, 6, 6, 6],
    [1, 8, 8, 8],
    [2, 16, 24, 2],
    [1, 6, 9, 3],
    [1, 4, 8, 4],
];

fn conv(
    graph: &mut Graph,
    random: &mut Random,
    window: Window,
    [_, input, out, groups]: [usize; 4],
    bias: bool,
) -> Conv2d {
    let weight = random.param(graph, &[out, input / groups, window.kernel[0], window.kernel[1]]);
    let bias = bias.then(|| random.param(graph, &[out]));
    Conv2d { weight, bias, out_channels: out, window, groups }
}

#[test]
fn convolution() {
    let mut cases = vec![];
    for window in windows() {
        for channels in CHANNELS {
            let name = format!("conv {channels:?} {window:?}");
            let bias = channels[0] == 2;
            cases.push(case(name, &[[channels[0], channels[1], 9, 12]], |g, r| {
                Op::Conv2d(conv(g, r, window, channels, bias))
            }));
        }
    }
    check(cases);
}

/// The gradient of a convolution with inputs of 9 × 12 pixels.
fn conv_gradient(window: Window, channels: [usize; 4]) -> Case {
    let name = format!("conv gradient {channels:?} {window:?}");
    let size = [9, 12];
    let output =
        [0, 1].map(|a| (size[a] + window.pad_start[a] + window.pad_end[a] - window.reach(a)) / window.stride[a] + 1);
    let dy = [channels[0], channels[2], output[0], output[1]];
    case(name, &[dy], |g, r| Op::Conv2dGrad {
        conv: conv(g, r, window, channels, true),
        input: size,
        in_channels: channels[1],
    })
}

#[test]
fn convolution_gradient() {
    check(windows().into_iter().flat_map(|window| CHANNELS.map(|channels| conv_gradient(window, channels))).collect());
}

/// Macro tiles at all their edges: pixels, outputs and steps that fill the last tile only partly. Also steps of one
/// tap and of several, phases without a tap, groups, and tiles across several images.
#[test]
fn convolutions_by_macro_tiles() {
    let mut cases = vec![];
    for window in windows() {
        for channels in [[2, 20, 70, 1], [1, 56, 72, 2], [1, 3, 33, 1]] {
            let name = format!("conv {channels:?} {window:?}");
            let shape = [channels[0], channels[1], 9, 12];
            cases.push(case(name, &[shape], |g, r| Op::Conv2d(conv(g, r, window, channels, true))));
            cases.push(conv_gradient(window, channels));
        }
    }
    for (profile, case) in macro_tiles().flat_map(|p| cases.iter().map(move |case| (p.clone(), case))) {
        let plan = Plan::new(&case.graph, &profile, &case.outputs);
        let single = plan.dispatches.iter().find(|d| ["conv", "pointwise"].contains(&d.shader));
        assert!(single.is_none(), "{}: {single:?}", case.name);
    }
    check_on(gpus(macro_tiles()), WINOGRAD_TOLERANCE, cases);
}

/// Macro tiles that round to f16. Products of such numbers are exact, so the tolerance stays. Others are off by the rounding.
#[test]
fn convolutions_in_f16() {
    let channels = [[2, 20, 70, 1], [1, 56, 72, 2], [1, 3, 33, 1]];
    let pairs = windows().into_iter().step_by(3).flat_map(|window| channels.map(|channels| (window, channels)));
    let mut cases: Vec<Case> = pairs.map(|(window, channels)| conv_gradient(window, channels)).collect();
    let narrow = || gpus(macro_tiles().map(|profile| Profile { factors: Factors::F16, ..profile }));
    for (variant, gpu) in narrow() {
        let Case { graph, inputs, outputs, .. } = &cases[0];
        let (found, _) = run_gpu(&gpu, graph, inputs, outputs);
        let error = error(&found[0], &run_cpu(graph, inputs, outputs)[0]);
        assert!(error > WINOGRAD_TOLERANCE && error < 1e-3, "{variant}: {error:e}");
    }
    for values in cases.iter_mut().flat_map(|case| &mut case.inputs) {
        values.1.iter_mut().for_each(|value| *value = half(*value));
    }
    check_on(narrow(), WINOGRAD_TOLERANCE, cases);
}

/// Convolutions larger than any tile, so that all edges of a tile and several runs of strips occur.
#[test]
fn large_convolutions() {
    let shapes = [([3, 3, 2], [1, 40, 36, 1]), ([1, 1, 1], [2, 96, 41, 1]), ([3, 3, 1], [1, 144, 144, 144])];
    let cases = shapes.map(|([kh, kw, stride], channels)| {
        let window = window([kh, kw], [stride; 2], [kh / 2; 2], [kw / 2; 2], [1; 2]);
        let shape = [channels[0], channels[1], 31, 17];
        case(format!("large conv {channels:?}"), &[shape], |g, r| Op::Conv2d(conv(g, r, window, channels, true)))
    });
    check_on(gpus(Profile::ALL.into_iter().chain(short_runs())), TOLERANCE, cases.into());
}

#[test]
fn pooling() {
    let average = |count_include_pad| PoolKind::Average { count_include_pad };
    let windows = [
        (Window::square(2, 2, 0), false),
        (Window::square(3, 2, 1), false),
        (Window::square(3, 2, 0), true),
        (Window::square(3, 2, 1), true),
        (Window::square(3, 1, 1), false),
        (window([3, 2], [2, 1], [1, 0], [1, 0], [1, 1]), true),
    ];
    let mut cases = vec![];
    for kind in [PoolKind::Max, average(true), average(false)] {
        for (window, ceil_mode) in windows {
            let pool = Pool2d { kind, window, ceil_mode };
            let name = format!("{pool:?}");
            let forward = case(name.clone(), &[[2, 7, 9, 12]], |_, _| Op::Pool2d(pool));
            let [_, c, h, w] = forward.graph.shape(forward.outputs[0]);
            cases.push(forward);
            // Two maps per image.
            cases
                .push(case(format!("gradient of {name}"), &[[4, c, h, w], [2, 7, 9, 12]], |_, _| Op::Pool2dGrad(pool)));
        }
    }
    check(cases);
}

/// Of equal elements, the first in row-major order takes the gradient.
#[test]
fn max_pool_ties() {
    let pool = Pool2d { kind: PoolKind::Max, window: Window::square(3, 2, 1), ceil_mode: false };
    let mut tied = case("ties".into(), &[[1, 5, 4, 5], [1, 5, 7, 9]], |_, _| Op::Pool2dGrad(pool));
    tied.inputs[1].1.iter_mut().for_each(|v| *v = (*v * 2.0).round());
    check(vec![tied]);
}

#[test]
fn elementwise() {
    let mut cases = vec![];
    for f in Activation::ALL {
        // Values beyond every kink of the functions.
        let wide = |mut case: Case| {
            // Some functions have no value below 0.
            let into = |v: f32| if f.is_tame() { v * 8.0 } else { v.abs() * 8.0 + 0.1 };
            case.inputs.iter_mut().for_each(|(_, v)| v.iter_mut().for_each(|v| *v = into(*v)));
            case
        };
        cases.push(wide(case(format!("{f:?}"), &[[2, 5, 3, 7]], |_, _| Op::Activate(f))));
        cases.push(wide(case(format!("gradient of {f:?}"), &[[6, 5, 3, 7], [2, 5, 3, 7]], |_, _| Op::ActivateGrad(f))));
    }
    cases.push(case("add".into(), &[[2, 5, 3, 7]; 2], |_, _| Op::Add));
    cases.push(case("scale and shift".into(), &[[2, 6, 3, 7]], |g, r| Op::ScaleShift {
        scale: r.param(g, &[6]),
        shift: Some(r.param(g, &[6])),
    }));
    cases.push(case("scale".into(), &[[2, 6, 3, 7]], |g, r| Op::ScaleShift { scale: r.param(g, &[6]), shift: None }));
    cases.push(case("mean".into(), &[[2, 6, 13, 7]], |_, _| Op::Mean));
    cases.push(case("mean gradient".into(), &[[3, 6, 1, 1]], |_, _| Op::MeanGrad { input: [5, 3] }));
    check(cases);
}

#[test]
fn channels() {
    let mut cases = vec![];
    for (a, b) in [(4, 8), (4, 3), (5, 7), (3, 4), (6, 1)] {
        cases.push(case(format!("concat {a} and {b}"), &[[2, a, 3, 5], [2, b, 3, 5]], |_, _| Op::Concat));
    }
    for (from, start, channels) in [(12, 4, 4), (12, 8, 3), (11, 4, 7), (9, 3, 5), (9, 0, 9)] {
        cases.push(case(format!("slice {start}+{channels}"), &[[2, from, 3, 5]], |_, _| Op::Slice { start, channels }));
        let gradient = Op::SliceGrad { start, channels: from };
        cases.push(case(format!("slice gradient {start}+{channels}"), &[[2, channels, 3, 5]], |_, _| gradient));
    }
    for (c, groups) in [(8, 2), (12, 3), (10, 2), (6, 6)] {
        cases.push(case(format!("shuffle {c} in {groups}"), &[[2, c, 3, 5]], |_, _| Op::Shuffle { groups }));
    }
    cases.push(case("gate".into(), &[[2, 6, 3, 5], [2, 6, 1, 1]], |_, _| Op::Gate));
    cases.push(case("gate of maps".into(), &[[4, 6, 3, 5], [2, 6, 1, 1]], |_, _| Op::Gate));
    cases.push(case("gate gradient".into(), &[[4, 6, 13, 5], [2, 6, 13, 5]], |_, _| Op::GateGrad));
    check(cases);
}

#[test]
fn layer_norm() {
    let mut cases = vec![];
    for c in [8, 6, 96] {
        let norm =
            |g: &mut Graph, r: &mut Random| LayerNorm { weight: r.param(g, &[c]), bias: r.param(g, &[c]), eps: 1e-6 };
        cases.push(case(format!("layer norm {c}"), &[[2, c, 3, 5]], |g, r| Op::LayerNorm(norm(g, r))));
        let shapes = [[4, c, 3, 5], [2, c, 3, 5]];
        cases.push(case(format!("layer norm gradient {c}"), &shapes, |g, r| Op::LayerNormGrad(norm(g, r))));
    }
    check(cases);
}

#[test]
fn adaptive_pooling() {
    let mut cases = vec![];
    for (from, to) in [([13, 7], [7, 7]), ([6, 8], [6, 6]), ([7, 7], [7, 7]), ([3, 5], [7, 6])] {
        let [h, w] = from;
        cases.push(case(format!("{from:?} to {to:?}"), &[[2, 5, h, w]], |_, _| Op::AdaptivePool { to }));
        let shape = [2, 5, to[0], to[1]];
        cases.push(case(format!("gradient of {from:?} to {to:?}"), &[shape], |_, _| Op::AdaptivePoolGrad { from }));
    }
    check(cases);
}

#[test]
fn linear() {
    let mut cases = vec![];
    for (n, input, out) in [(1, [37, 1, 1], 10), (3, [5, 4, 3], 9), (2, [300, 1, 1], 1000)] {
        let [c, h, w] = input;
        let layer = |g: &mut Graph, r: &mut Random| Linear {
            weight: r.param(g, &[out, c * h * w]),
            bias: Some(r.param(g, &[out])),
            out_features: out,
        };
        cases.push(case(format!("linear {input:?}"), &[[n, c, h, w]], |g, r| Op::Linear(layer(g, r))));
        cases.push(case(format!("linear gradient {input:?}"), &[[n, out, 1, 1]], |g, r| Op::LinearGrad {
            linear: layer(g, r),
            input,
        }));
    }
    check(cases);
}

/// Weights over 128 MiB, which not every device can bind at once: a classifier like VGG's and a wide 1×1 convolution,
/// forward and backward.
#[test]
fn large_weights_come_in_pieces() {
    let linear = |g: &mut Graph, r: &mut Random| Linear {
        weight: r.param(g, &[1400, 25088]),
        bias: Some(r.param(g, &[1400])),
        out_features: 1400,
    };
    let channels = [1, 6000, 6004, 1];
    let pointwise = |g: &mut Graph, r: &mut Random| conv(g, r, Window::square(1, 1, 0), channels, true);
    let cases: [Box<dyn Fn() -> Case>; 4] = [
        Box::new(|| case("large linear".into(), &[[2, 512, 7, 7]], |g, r| Op::Linear(linear(g, r)))),
        Box::new(|| {
            let gradient = |g: &mut Graph, r: &mut Random| Op::LinearGrad { linear: linear(g, r), input: [512, 7, 7] };
            case("large linear gradient".into(), &[[1, 1400, 1, 1]], gradient)
        }),
        Box::new(|| case("large 1×1".into(), &[[1, 6000, 3, 2]], |g, r| Op::Conv2d(pointwise(g, r)))),
        Box::new(|| {
            let gradient = |g: &mut Graph, r: &mut Random| Op::Conv2dGrad {
                conv: pointwise(g, r),
                input: [3, 2],
                in_channels: 6000,
            };
            case("large 1×1 gradient".into(), &[[1, 6004, 3, 2]], gradient)
        }),
    ];
    for case in cases {
        let case = case();
        for profile in Profile::ALL {
            let plan = Plan::new(&case.graph, &profile, &case.outputs);
            let pieces = plan.dispatches.iter().flat_map(|d| &d.operands).filter(|o| matches!(o, Operand::Constant(_)));
            assert!(pieces.count() > 1, "{} is in one piece", case.name);
        }
        // Slices have shorter sums. Added one by one, 6,000 products are off by 3.4e-6 of the largest value.
        let sliced = macro_tiles().filter(|p| p.shared[0].team.is_some_and(|team| team.slices > 1)).take(1);
        check_on(every_gpu().into_iter().chain(gpus(sliced)).collect(), TOLERANCE, vec![case]);
    }
}

/// Requests by number and by rank, equal logits, and the seed from the records.
#[test]
fn selection() {
    let mut cases = vec![];
    for (classes, requests) in [(10, vec![-1.0, -1.0, 7.0, -1.0]), (1000, vec![-1.0, 3.0]), (3, vec![-1.0; 3])] {
        let (mut graph, mut inputs) = (Graph::default(), vec![]);
        let logits = features(&mut graph, &mut Random(classes as u64), &mut inputs, [2, classes, 1, 1]);
        if classes == 10 {
            inputs[0].1.iter_mut().for_each(|v| *v = (*v * 2.0).round());
        }
        let asked = graph.input(Kind::Plain, [2, requests.len(), 1, 1]);
        inputs.push((asked, requests.repeat(2)));
        let records = graph.push(Op::Select, &[logits, asked]).unwrap();
        let requests = requests.len();
        let seed = graph.push(Op::Seed { classes, requests, maps: 2 }, &[records]).unwrap();
        let outputs = [records, seed].map(|id| graph.push(Op::Unpack, &[id]).unwrap()).into();
        cases.push(Case { name: format!("selection of {classes}"), graph, inputs, outputs });
    }
    check(cases);
}

/// Raw map, range, ReLU, rescaling, and resizing in both directions, with two maps per image.
#[test]
fn cam_tail() {
    let mut random = Random(11);
    let (mut graph, mut inputs) = (Graph::default(), vec![]);
    let a = features(&mut graph, &mut random, &mut inputs, [2, 9, 7, 5]);
    let w = features(&mut graph, &mut random, &mut inputs, [4, 9, 1, 1]);
    let raw = graph.push(Op::WeightedSum(Term::Product), &[a, w]).unwrap();
    let range = graph.push(Op::MinMax, &[raw]).unwrap();
    let positive = graph.push(Op::Rescale(Scaling::Positive), &[raw, range]).unwrap();
    let scaled = graph.push(Op::Rescale(Scaling::Whole), &[raw, range]).unwrap();
    let again = graph.push(Op::Rescale(Scaling::Positive), &[raw, range]).unwrap();
    let at_once = graph.push(Op::Resize { to: [29, 30], by: Interpolation::Linear }, &[again]).unwrap();
    let up = graph.push(Op::Resize { to: [31, 23], by: Interpolation::Linear }, &[scaled]).unwrap();
    let down = graph.push(Op::Resize { to: [3, 4], by: Interpolation::Linear }, &[up]).unwrap();
    let mut outputs = vec![raw, range, positive, scaled, at_once, up, down];
    // The same again, where each value has one reader: ranges of maps that are not stored, and the rescaling that
    // uses them.
    for to in [[29, 30], [14, 10], [13, 11], [7, 5], [3, 4], [300, 1]] {
        let scaled = |graph: &mut Graph| graph.push(Op::Rescale(Scaling::Positive), &[raw, range]).unwrap();
        let first = scaled(&mut graph);
        let resized = graph.push(Op::Resize { to, by: Interpolation::Linear }, &[first]).unwrap();
        let second = scaled(&mut graph);
        let span = graph.push(Op::ResizedRange { to }, &[second]).unwrap();
        outputs.extend([span, graph.push(Op::Rescale(Scaling::Whole), &[resized, span]).unwrap()]);
    }
    let resized = graph.push(Op::Resize { to: [9, 8], by: Interpolation::Linear }, &[scaled]).unwrap();
    let span = graph.push(Op::ResizedRange { to: [9, 8] }, &[scaled]).unwrap();
    outputs.push(graph.push(Op::Rescale(Scaling::Whole), &[resized, span]).unwrap());
    let outputs = outputs.into_iter().map(|id| graph.push(Op::Unpack, &[id]).unwrap()).collect();
    check(vec![Case { name: "cam tail".into(), graph, inputs, outputs }]);
}

/// Each method alone and all together, with two maps per image, for fewer pixels than channels and for more.
#[test]
fn methods() {
    let mut cases = vec![];
    for shape in [[2, 9, 4, 2], [2, 6, 7, 5], [1, 8, 3, 3], [2, 70, 8, 9]] {
        let [n, c, h, w] = shape;
        let mut push = |methods: &[Method], normalise: Normalise| {
            let mut random = Random(c as u64);
            let (mut graph, mut inputs) = (Graph::default(), vec![]);
            let a = features(&mut graph, &mut random, &mut inputs, shape);
            let g = features(&mut graph, &mut random, &mut inputs, [2 * n, c, h, w]);
            // Some formulas divide by what may be 0 for activations of both signs.
            let divides = methods
                .iter()
                .any(|method| method.name().contains("++") || matches!(method, Method::RefineCam | Method::XGradCam));
            let a = if divides { graph.push(Op::Activate(Activation::Sigmoid), &[a]).unwrap() } else { a };
            let asked = methods.iter().map(|method| {
                let gradients = method.is_of_class().then_some(g);
                Asked { method: method.row(), layers: vec![Layer { activations: a, gradients }] }
            });
            let asked: Vec<Asked> = asked.collect();
            let maps = cam::heatmap(&mut graph, &asked, [11, 13], normalise.into()).unwrap();
            let outputs = [maps.raw, Some(maps.range), Some(maps.heatmap)].into_iter().flatten();
            let outputs =
                outputs.collect::<Vec<_>>().into_iter().map(|id| graph.push(Op::Unpack, &[id]).unwrap()).collect();
            let names: Vec<&str> = methods.iter().map(|method| method.name()).collect();
            cases.push(Case {
                name: format!("{} of {shape:?}, {normalise:?}", names.join(" and ")),
                graph,
                inputs,
                outputs,
            });
        };
        let all: Vec<Method> = Method::ALL.iter().copied().filter(|method| method.is_of_any_layer()).collect();
        all.iter().for_each(|method| push(&[*method], Normalise::MinMax));
        push(&all, Normalise::Max);
        for normalise in [Normalise::Max, Normalise::Percentile, Normalise::Signed, Normalise::None] {
            push(&[Method::HiResCam], normalise);
        }
    }
    // The first two components of noise are almost equally strong, and a product is scaled three times.
    let (eigen, others): (Vec<Case>, Vec<Case>) =
        cases.into_iter().partition(|case| ["eigen", "kpca", "refine"].iter().any(|kind| case.name.contains(kind)));
    // Where eigenvalues may be negative they are shifted, and the iteration ends farther from its limit.
    let (kernel, eigen): (Vec<Case>, Vec<Case>) = eigen.into_iter().partition(|case| case.name.contains("kpca"));
    check_on(every_gpu(), 5e-4, kernel);
    check_on(every_gpu(), 1e-4, eigen);
    check(others);
}

/// The channels that fill up the last block of four may hold anything and must not change the result.
#[test]
fn padding_lanes_do_not_count() {
    let mut random = Random(12);
    let (mut graph, mut inputs) = (Graph::default(), vec![]);
    let wide = [[2, 12, 4, 3], [2, 12, 1, 1]].map(|s| features(&mut graph, &mut random, &mut inputs, s));
    let [a, weights] = wide.map(|x| graph.push(Op::Slice { start: 2, channels: 5 }, &[x]).unwrap());
    let raw = graph.push(Op::WeightedSum(Term::Product), &[a, weights]).unwrap();
    let output = graph.push(Op::Unpack, &[raw]).unwrap();
    check(vec![Case { name: "padding lanes".into(), graph, inputs, outputs: vec![output] }]);
}

/// A map with values that are not finite: they are counted, and the range is that of the others.
#[test]
fn range_of_broken_maps() {
    for (variant, gpu) in every_gpu() {
        let mut graph = Graph::default();
        let map = graph.input(Kind::Plain, [3, 1, 4, 5]);
        let packed = graph.push(Op::Pack, &[map]).unwrap();
        let range = graph.push(Op::MinMax, &[packed]).unwrap();
        let range = graph.push(Op::Unpack, &[range]).unwrap();
        let mut values = Random(5).numbers(60);
        (values[0], values[3], values[7]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
        values[20..40].fill(f32::NAN);
        let truth = run_cpu(&graph, &[(map, values.clone())], &[range]);
        let (found, _) = run_gpu(&gpu, &graph, &[(map, values)], &[range]);
        assert_eq!(found[0].iter().map(|&v| f64::from(v)).collect::<Vec<_>>(), truth[0], "{variant}");
        assert_eq!((found[0][2], found[0][6], found[0][10]), (3.0, 20.0, 0.0), "{variant}");
    }
}
