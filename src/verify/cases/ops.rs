//! Single operations with the gradients of their operands, for odd shapes: W ≠ H, strides, asymmetric padding,
//! dilation, channels that do not fill blocks of four, two maps per image.

use crate::graph::{
    Activation, Arithmetic, Contract, Digit, Form, NodeId, Op, Pool2d, PoolKind, Rearrange, Rule, Shape, Side, Term,
    Window, gradients,
};
use crate::kernels::Profile;
use crate::verify::case::Case;
use crate::verify::net::Net;
use crate::verify::variants::Scope;

/// Relative to the largest value: f32 sums of a few thousand products.
const TOLERANCE: f64 = 3e-6;
/// For convolutions that may use Winograd, whose transforms lose digits by cancellation.
const WINOGRAD_TOLERANCE: f64 = 1e-5;

/// Checks the value that `build` makes from random features, and the gradients of all these features for `maps` maps
/// per image.
fn case(name: String, shapes: &[Shape], maps: usize, build: impl FnOnce(&mut Net, &[NodeId]) -> NodeId) -> Case {
    let mut net = Net::new(name.bytes().map(u64::from).sum());
    let operands: Vec<NodeId> = shapes.iter().map(|shape| net.features(*shape)).collect();
    let y = build(&mut net, &operands);
    let [n, c, h, w] = net.graph.shape(y);
    let seed = net.features([n * maps, c, h, w]);
    let grads = gradients(&mut net.graph, y, seed, &operands, Rule::Standard).expect("every operand has a gradient");
    Case::of(name, TOLERANCE, net, &[&[y], &grads[..]].concat())
}

fn of_one(name: String, shape: Shape, op: Op) -> Case {
    case(name, &[shape], 2, |net, x| net.op(op, x))
}

fn window(
    [kh, kw]: [usize; 2],
    stride: [usize; 2],
    start: [usize; 2],
    end: [usize; 2],
    dilation: [usize; 2],
) -> Window {
    Window { kernel: [kh, kw], stride, pad_start: start, pad_end: end, dilation }
}

pub fn cases() -> Vec<Case> {
    [convolutions(), products(), pools(), elementwise(), channels(), moves(), matrices(), linear(), pieces(), halves()]
        .into_iter()
        .flatten()
        .collect()
}

/// Windows with strides, asymmetric padding and dilation, for channels with and without groups.
fn convolutions() -> Vec<Case> {
    let odd = window([3, 2], [2, 3], [0, 1], [1, 0], [2, 1]);
    let dense = [
        Window::square(1, 2, 0),
        Window::square(3, 1, 1),
        Window::same(5, 2, [9, 12]),
        window([3, 5], [1, 1], [1, 2], [1, 2], [1, 1]),
        window([3, 3], [1, 1], [2, 2], [2, 2], [2, 2]),
        window([2, 2], [1, 1], [2, 2], [2, 2], [1, 1]),
        odd,
    ];
    // Images, input channels, output channels, groups. In order: a photo's channels, one block, several blocks,
    // groups that fill blocks, groups that do not.
    let channels = [[1, 3, 8, 1], [2, 5, 3, 1], [2, 13, 22, 1], [2, 16, 24, 2], [1, 6, 9, 3]];
    let depthwise = [Window::square(3, 2, 1), window([3, 5], [1, 1], [1, 2], [1, 2], [1, 2])];
    let all = dense.iter().flat_map(|window| channels.map(|channels| (window, channels)));
    let all = all.chain(depthwise.iter().map(|window| (window, [2, 6, 6, 6])));
    let case = |(window, [n, input, out, groups]): (&Window, [usize; 4])| {
        let Window { kernel: [kh, kw], stride: [sy, sx], .. } = window;
        let name = format!("conv {kh}×{kw} / {sy}×{sx}, {input} to {out} in {groups}");
        let mut case = case(name, &[[n, input, 9, 12]], 2, |net, x| net.conv(x[0], out, *window, groups));
        if *window == Window::square(3, 1, 1) {
            case.checks.iter_mut().for_each(|check| check.tolerance = WINOGRAD_TOLERANCE);
        }
        match (*window == odd, input, groups) {
            (true, 13, _) | (_, 6, 6) => case.within(Scope::Weights),
            (_, 13, _) | (.., 2) => case.within(Scope::Products),
            _ => case,
        }
    };
    all.map(case).collect()
}

/// Matrix products of many extents, so that the cost model takes many tiles. Each extent leaves a partial tile.
fn products() -> Vec<Case> {
    let extents =
        [([1, 37, 1, 5], 6), ([2, 24, 9, 13], 23), ([1, 9, 31, 17], 70), ([3, 70, 7, 11], 41), ([1, 6, 40, 43], 33)];
    let case = |(shape, out): (Shape, usize)| {
        let [_, c, h, w] = shape;
        let name = format!("product {c}×{h}×{w} to {out}");
        case(name, &[shape], 1, |net, x| net.conv(x[0], out, Window::square(1, 1, 0), 1)).within(Scope::Products)
    };
    extents.map(case).into()
}

fn pools() -> Vec<Case> {
    let average = |count_include_pad| PoolKind::Average { count_include_pad };
    let uneven = window([3, 2], [2, 1], [1, 0], [1, 0], [1, 1]);
    let kinds = [
        (PoolKind::Max, Window::square(2, 2, 0), false),
        (PoolKind::Max, Window::square(3, 2, 1), true),
        (PoolKind::Max, uneven, true),
        (average(true), Window::square(3, 2, 1), true),
        (average(false), Window::square(3, 2, 1), true),
        (average(false), uneven, false),
    ];
    let mut cases: Vec<Case> = vec![];
    for (kind, window, ceil_mode) in kinds {
        let pool = Pool2d { kind, window, ceil_mode };
        let [kh, kw] = window.kernel;
        let name = format!("{kind:?} pool {kh}×{kw}");
        cases.push(of_one(name.clone(), [2, 7, 9, 12], Op::Pool2d(pool)));
        if kind == PoolKind::Max {
            // Of equal elements, the first in row-major order takes the gradient.
            let mut net = Net::new(1);
            let values = net.random.numbers(2 * 7 * 9 * 12).into_iter().map(|v| (v * 2.0).round()).collect();
            let x = net.plain([2, 7, 9, 12], values);
            let x = net.op(Op::Pack, &[x]);
            let y = net.op(Op::Pool2d(pool), &[x]);
            let seed = net.features(net.graph.shape(y));
            let grads = gradients(&mut net.graph, y, seed, &[x], Rule::Standard).expect("a pool has a gradient");
            cases.push(Case::of(format!("{name} of equal elements"), TOLERANCE, net, &[grads[0]]));
        }
    }
    for (from, to) in [([13, 7], [7, 5]), ([3, 5], [7, 6])] {
        let name = format!("adaptive pool {from:?} to {to:?}");
        cases.push(case(name, &[[2, 5, from[0], from[1]]], 1, |net, x| net.op(Op::AdaptivePool { to }, x)));
    }
    cases
}

fn elementwise() -> Vec<Case> {
    let activation = |f: Activation| {
        // Values beyond every kink of the functions.
        let mut net = Net::new(2);
        // Some functions have no value below 0.
        let into = |v: f32| if f.is_tame() { v * 8.0 } else { v.abs() * 8.0 + 0.1 };
        let values = net.random.numbers(2 * 5 * 3 * 7).into_iter().map(into).collect();
        let x = net.plain([2, 5, 3, 7], values);
        let x = net.op(Op::Pack, &[x]);
        let y = net.op(Op::Activate(f), &[x]);
        let seed = net.features([6, 5, 3, 7]);
        let grads = gradients(&mut net.graph, y, seed, &[x], Rule::Standard).expect("an activation has a gradient");
        Case::of(format!("{f:?}"), TOLERANCE, net, &[y, grads[0]])
    };
    let mut cases: Vec<Case> = Activation::ALL.into_iter().map(activation).collect();
    cases.push(case("add".into(), &[[2, 5, 3, 7]; 2], 1, |net, x| net.op(Op::Add, x)));
    cases.push(case("batch norm".into(), &[[2, 6, 3, 7]], 2, |net, x| net.scale_shift(x[0])));
    cases.push(of_one("mean".into(), [2, 6, 13, 7], Op::Mean));
    for c in [8, 5, 6, 35] {
        cases.push(case(format!("layer norm of {c}"), &[[2, c, 3, 5]], 2, |net, x| net.layer_norm(x[0])));
    }
    cases
}

/// Operations that move, join and scale channels.
fn channels() -> Vec<Case> {
    let mut cases = vec![];
    for (a, b) in [(4, 8), (4, 3), (5, 7), (3, 4), (6, 1)] {
        let name = format!("concatenation of {a} and {b}");
        cases.push(case(name, &[[2, a, 3, 5], [2, b, 3, 5]], 2, |net, x| net.op(Op::Concat, x)));
    }
    for (from, start, channels) in [(12, 4, 4), (12, 8, 3), (11, 4, 7), (9, 3, 5)] {
        cases.push(of_one(
            format!("slice {start}+{channels} of {from}"),
            [2, from, 3, 5],
            Op::Slice { start, channels },
        ));
    }
    for (c, groups) in [(8, 2), (12, 3), (10, 2)] {
        cases.push(of_one(format!("shuffle of {c} in {groups}"), [2, c, 3, 5], Op::Shuffle { groups }));
    }
    cases.push(case("gate".into(), &[[2, 6, 13, 5], [2, 6, 1, 1]], 2, |net, x| net.op(Op::Gate, x)));
    // An input with two readers is packed on the device in every variant.
    let mut net = Net::new(16);
    let values = net.random.numbers(2 * 6 * 3 * 5);
    let plain = net.plain([2, 6, 3, 5], values);
    let packed = [0, 1].map(|_| net.op(Op::Pack, &[plain]));
    let sum = net.op(Op::Add, &packed);
    cases.push(Case::of("numbers packed twice", TOLERANCE, net, &[sum]));
    // The channels that fill up the last block may hold anything and must not change the result.
    let mut net = Net::new(12);
    let wide = [[2, 12, 4, 3], [2, 12, 1, 1]].map(|shape| net.features(shape));
    let [a, weights] = wide.map(|x| net.op(Op::Slice { start: 2, channels: 5 }, &[x]));
    let raw = net.op(Op::WeightedSum(Term::Product), &[a, weights]);
    cases.push(Case::of("weighted sum of padded blocks", TOLERANCE, net, &[raw]));
    cases
}

/// Numbers that are moved, repeated or added, with whole blocks of channels and with single channels.
fn moves() -> Vec<Case> {
    let place = |axis: usize, stride: usize| Some((axis, stride));
    let digit = |extent, from, to| Digit { extent, from, to };
    let mut cases = vec![];
    for c in [8, 6] {
        let (rows, columns) = (digit(4, place(1, 1), place(1, 1)), digit(5, place(2, 1), place(2, 1)));
        let channels = digit(c, place(0, 1), place(0, 1));
        let from = Side::whole([c, 4, 5]);
        let bordered = Side { extents: [c, 7, 6], start: [0, 2, 1] };
        let halves = [digit(2, place(0, c / 2), None), digit(c / 2, place(0, 1), place(2, 5)), rows, columns];
        let [twice, rows_apart] = [digit(2, None, place(1, 1)), digit(4, place(1, 1), place(1, 2))];
        let pixels = [
            digit(c, place(0, 1), place(2, 1)),
            digit(4, place(1, 1), place(0, 5)),
            digit(5, place(2, 1), place(0, 1)),
        ];
        for (name, to, digits) in [
            ("border", bordered, vec![channels, rows, columns]),
            ("pixels as channels", Side::whole([20, 1, c]), pixels.to_vec()),
            ("halves added", Side::whole([1, 4, 5 * c / 2]), halves.to_vec()),
            ("rows repeated", Side::whole([c, 8, 5]), vec![channels, twice, rows_apart, columns]),
            ("columns added", Side::whole([c, 4, 1]), vec![channels, rows, Digit { to: None, ..columns }]),
        ] {
            let moves = Rearrange { from, to, digits };
            cases.push(of_one(format!("{name} of {c}"), [2, c, 4, 5], Op::Rearrange(moves)));
        }
        for op in [Arithmetic::Add, Arithmetic::Multiply] {
            for lacks in [[1, 4, 5], [c, 1, 5], [c, 4, 1], [c, 1, 1], [1, 1, 1], [c, 4, 5]] {
                let shapes = [[2, c, 4, 5], [2, lacks[0], lacks[1], lacks[2]]];
                let name = format!("{op:?} of {c}×4×5 and {lacks:?}");
                cases.push(case(name, &shapes, 2, |net, x| net.op(Op::Broadcast(op), x)));
            }
        }
        cases.push(case(format!("constant of {c}"), &[[2, c, 3, 5]], 2, |net, x| {
            let constant = Op::Constant { values: net.param(&[c, 3, 5]), shape: [c, 3, 5] };
            let constant = net.op(constant, &[]);
            net.op(Op::Broadcast(Arithmetic::Multiply), &[x[0], constant])
        }));
    }
    cases
}

/// Products of matrices and softmax, in groups of channels that fill blocks and that do not.
fn matrices() -> Vec<Case> {
    let mut cases = vec![];
    for (groups, i, j) in [(1, 8, 6), (2, 4, 6), (3, 5, 7), (2, 6, 4)] {
        let mut push = |form: Form, shapes: [Shape; 2]| {
            let name = format!("{form:?} of {groups} groups of {i} and {j}");
            cases.push(case(name, &shapes, 2, |net, x| net.op(Op::Contract(Contract { form, groups }), x)));
        };
        push(Form::Channels, [[2, groups * i, 3, 5], [2, groups * i, 1, j]]);
        push(Form::Across, [[2, groups * j, 3, 5], [2, groups * i, 1, j]]);
        push(Form::Pixels([1, j]), [[2, groups * i, 3, 5], [2, groups * j, 3, 5]]);
    }
    cases.push(of_one("softmax".into(), [2, 6, 7, 13], Op::Softmax));
    cases
}

/// Vectors, flattened feature maps, and more images than share one load.
fn linear() -> Vec<Case> {
    let extents = [([1, 37, 1, 1], 10), ([3, 5, 4, 3], 9), ([9, 30, 1, 1], 101)];
    let case = |(shape, out): (Shape, usize)| {
        let [n, c, h, w] = shape;
        case(format!("linear {c}×{h}×{w} of {n} to {out}"), &[shape], 2, |net, x| net.linear(x[0], out))
    };
    extents.map(case).into()
}

/// Weights split into pieces, as large weights are.
fn pieces() -> Vec<Case> {
    let square = |kernel: usize| Window::square(kernel, 1, kernel / 2);
    [
        case("linear in pieces".into(), &[[2, 30, 1, 2]], 2, |net, x| net.linear(x[0], 101)),
        case("product in pieces".into(), &[[2, 24, 5, 7]], 1, |net, x| net.conv(x[0], 70, square(1), 1)),
        case("conv 5×5 in pieces".into(), &[[2, 6, 5, 7]], 1, |net, x| net.conv(x[0], 70, square(5), 1)),
    ]
    .map(|case| case.forced(|profile| Profile { piece: 600, ..profile }).within(Scope::Weights))
    .into()
}

/// Products for kernels that round to f16: many inputs, taps, groups.
fn halves() -> Vec<Case> {
    let kinds = [
        ([3, 70, 7, 11], 41, Window::square(1, 1, 0), 1),
        ([2, 13, 9, 12], 22, window([3, 2], [2, 3], [0, 1], [1, 0], [2, 1]), 1),
        ([2, 16, 9, 12], 24, Window::square(3, 1, 1), 2),
    ];
    let case = |(shape, out, window, groups): (Shape, usize, Window, usize)| {
        let [kh, kw] = window.kernel;
        let name = format!("f16 product {kh}×{kw}, {} to {out} in {groups}", shape[1]);
        case(name, &[shape], 2, |net, x| net.conv(x[0], out, window, groups)).of_halves()
    };
    kinds.map(case).into()
}
