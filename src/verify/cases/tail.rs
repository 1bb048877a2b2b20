//! From maps to pictures: selection of classes, ranges, rescaling, resizing, overlays. Also the conversion of pixels
//! to features.

use crate::cam::{self, Asked, Layer, Method, Normalise};
use crate::graph::{Activation, COLOURS, Interpolation, Kind, Mask, NodeId, Omission, Op, Overlay, Scaling, Term, key};
use crate::verify::case::{Case, Check, Stage};
use crate::verify::net::Net;

/// Relative to the largest value.
const TOLERANCE: f64 = 3e-6;

pub fn cases() -> Vec<Case> {
    let mut all = choices();
    all.push(maps());
    all.extend(methods());
    all.extend(variations());
    all.push(broken_maps());
    all.push(pixels());
    all.extend(overlays());
    all
}

/// Classes by number and by rank, more requests than there are classes, and equal logits.
fn choices() -> Vec<Case> {
    let kinds = [(10, vec![-1.0, -1.0, 7.0, -1.0]), (1000, vec![-1.0, 3.0, -1.0]), (3, vec![-1.0; 3])];
    let case = |(classes, requests): (usize, Vec<f32>)| {
        let mut net = Net::new(classes as u64);
        let coarse = |v: f32| if classes == 10 { (v * 2.0).round() } else { v * 4.0 };
        let values = net.random.numbers(2 * classes).into_iter().map(coarse).collect();
        let logits = net.plain([2, classes, 1, 1], values);
        let logits = net.op(Op::Pack, &[logits]);
        let count = requests.len();
        let asked = net.plain([2, count, 1, 1], requests.repeat(2));
        let records = net.op(Op::Select, &[logits, asked]);
        let seed = net.op(Op::Seed { classes, requests: count, maps: 2 }, &[records]);
        Case::of(format!("choice of {classes} classes"), TOLERANCE, net, &[records, seed])
    };
    kinds.map(case).into()
}

/// Raw maps, their ranges, rescaling, and resizing in both directions, separately and combined, for two maps per
/// image.
fn maps() -> Case {
    let mut net = Net::new(11);
    let a = net.features([2, 9, 7, 5]);
    let w = net.features([4, 9, 1, 1]);
    let raw = net.op(Op::WeightedSum(Term::Product), &[a, w]);
    let range = net.op(Op::MinMax, &[raw]);
    let positive = net.op(Op::Rescale(Scaling::Positive), &[raw, range]);
    let scaled = net.op(Op::Rescale(Scaling::Whole), &[raw, range]);
    let up = net.op(Op::Resize { to: [31, 23], by: Interpolation::Linear }, &[scaled]);
    let down = net.op(Op::Resize { to: [3, 4], by: Interpolation::Linear }, &[up]);
    let [share, signed] = [Scaling::ToGreatest, Scaling::Signed].map(|by| net.op(Op::Rescale(by), &[raw, range]));
    let mut values = vec![raw, range, positive, scaled, share, signed, up, down];
    // Each value has one reader: ranges of maps that are not stored, and the rescaling that uses them.
    for to in [[29, 30], [14, 10], [13, 11], [3, 4], [300, 1]] {
        let first = net.op(Op::Rescale(Scaling::Positive), &[raw, range]);
        let resized = net.op(Op::Resize { to, by: Interpolation::Linear }, &[first]);
        let second = net.op(Op::Rescale(Scaling::Positive), &[raw, range]);
        let span = net.op(Op::ResizedRange { to }, &[second]);
        values.extend([span, net.op(Op::Rescale(Scaling::Whole), &[resized, span])]);
    }
    let resized = net.op(Op::Resize { to: [9, 8], by: Interpolation::Linear }, &[scaled]);
    let span = net.op(Op::ResizedRange { to: [9, 8] }, &[scaled]);
    values.push(net.op(Op::Rescale(Scaling::Whole), &[resized, span]));
    Case::of("maps", TOLERANCE, net, &values)
}

/// Every method alone and all of them together, with two maps per image, for fewer pixels than channels and for more.
fn methods() -> Vec<Case> {
    let mut cases = vec![];
    for shape in [[2, 9, 4, 2], [1, 6, 7, 5]] {
        let [n, c, h, w] = shape;
        let mut push = |methods: &[Method], normalise: Normalise, tolerance: f64| {
            let mut net = Net::new(c as u64);
            let a = net.features(shape);
            // Some formulas divide by what may be 0 for activations of both signs.
            let a = net.op(Op::Activate(Activation::Sigmoid), &[a]);
            let g = net.features([2 * n, c, h, w]);
            let asked = |method: &Method| {
                let gradients = method.is_of_class().then_some(g);
                Asked { method: method.row(), layers: vec![Layer { activations: a, gradients }] }
            };
            let asked: Vec<Asked> = methods.iter().map(asked).collect();
            let maps = cam::heatmap(&mut net.graph, &asked, [11, 13], normalise.into()).expect("the operands fit");
            let values: Vec<NodeId> = [maps.raw, Some(maps.range), Some(maps.heatmap)].into_iter().flatten().collect();
            let name = if let [method] = methods { method.name() } else { "all methods" };
            cases.push(Case::of(format!("{name} of {c} channels, {normalise:?}"), tolerance, net, &values));
        };
        // The first two components of noise are almost equally strong, and a product is scaled three times.
        let tolerance = |method: &Method| {
            if ["eigen", "kpca", "refine"].iter().any(|kind| method.name().contains(kind)) { 1e-4 } else { TOLERANCE }
        };
        let all: Vec<Method> = Method::ALL.iter().copied().filter(|method| method.is_of_any_layer()).collect();
        all.iter().for_each(|method| push(&[*method], Normalise::MinMax, tolerance(method)));
        push(&all, Normalise::Max, 1e-4);
        for normalise in [Normalise::Percentile, Normalise::Signed, Normalise::None] {
            push(&[Method::HiResCam], normalise, TOLERANCE);
        }
    }
    cases
}

/// Masks of two images.
fn masks(name: &str, mask: Mask) -> Case {
    let mut net = Net::new(22);
    let y = net.op(Op::Masks { mask, images: 2, first: 2, count: 6, size: [9, 11] }, &[]);
    Case::of(name, TOLERANCE, net, &[y])
}

/// What methods with several images do with them.
fn variations() -> Vec<Case> {
    let of_one = |name: &str, shape: [usize; 4], op: Op| {
        let mut net = Net::new(name.bytes().map(u64::from).sum());
        let x = net.features(shape);
        let y = net.op(op, &[x]);
        Case::of(name, TOLERANCE, net, &[y])
    };
    let mut net = Net::new(21);
    let (x, range) = (net.features([2, 5, 6, 7]), net.features([2, 4, 1, 1]));
    let noise = net.op(Op::Noise { key: key(3, 4), deviation: 0.2 }, &[x, range]);
    vec![
        // Drivers' logarithms and cosines differ.
        Case::of("noise", 2e-5, net, &[noise]),
        of_one("channels as images", [2, 6, 3, 5], Op::Unfold),
        of_one("images as columns", [6, 5, 1, 1], Op::Columns { count: 3 }),
        of_one("channels left out", [2, 6, 3, 5], Op::Vary { omission: Omission::Channel, first: 1, count: 4 }),
        of_one("pixels alone", [2, 6, 3, 5], Op::Vary { omission: Omission::OtherPixels, first: 7, count: 8 }),
        of_one("columns in reverse", [2, 5, 3, 7], Op::Mirror),
        of_one("greatest of channels", [2, 5, 9, 7], Op::PlaneMax),
        masks("squares", Mask::Square { side: 5, step: 3, across: 3 }),
        masks("random grids", Mask::Grid { key: key(3, 0) }),
        of_one("resize to nearest", [3, 1, 5, 4], Op::Resize { to: [11, 3], by: Interpolation::Nearest }),
        of_one("resize by cubics", [3, 1, 5, 4], Op::Resize { to: [11, 9], by: Interpolation::Cubic }),
        of_one("resize by corners", [3, 1, 5, 4], Op::Resize { to: [11, 1], by: Interpolation::Corners }),
        of_one("resize by corners of one row", [3, 1, 1, 4], Op::Resize { to: [6, 9], by: Interpolation::Corners }),
    ]
}

/// Values that are not finite are counted, and the range is that of the others.
fn broken_maps() -> Case {
    let mut net = Net::new(5);
    let mut values = net.random.numbers(60);
    (values[0], values[3], values[7]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
    values[20..40].fill(f32::NAN);
    let map = net.plain([3, 1, 4, 5], values);
    let map = net.op(Op::Pack, &[map]);
    let range = net.op(Op::MinMax, &[map]);
    Case::of("range of broken maps", TOLERANCE, net, &[range])
}

/// Pseudo-random bytes over the whole range.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i * 151 + i / 7 * 31) as u8).collect()
}

fn pixels() -> Case {
    let mut net = Net::new(13);
    let photo = net.graph.input(Kind::Pixels, [2, 3, 5, 9]);
    let op = Op::Normalise { mean: vec![0.485, 0.456, 0.406], std: vec![0.229, 0.224, 0.225] };
    let x = net.op(op, &[photo]);
    let mut case = Case::of("pixels to features", TOLERANCE, net, &[x]);
    case.inputs.push((photo, bytes(2 * 5 * 9 * 4)));
    case
}

/// First, maps of a single value with colours that all differ. Then maps of 3 × 4 values with colours that differ by
/// one step, inside a crop.
fn overlays() -> Vec<Case> {
    let rgba = |rgb: u32, opacity: f32| {
        let [r, g, b, _] = rgb.to_le_bytes().map(|v| f32::from(v) / 255.0);
        [r, g, b, opacity]
    };
    let colours: Vec<f32> = (0..256_u32).flat_map(|i| rgba(i.wrapping_mul(0x9e_3779), 0.5)).collect();
    let ramp: Vec<f32> = (0..256_u32).flat_map(|i| rgba(i * 0x01_0101, 1.0 - i as f32 / 255.0)).collect();
    let kinds = [
        ("colours", [3, 1, 1, 1], vec![0.1 / 255.0, 100.5 / 255.0, 1.0], colours, [-1.0, -1.0, 40.0, 40.0]),
        ("ramp", [3, 1, 3, 4], Net::new(14).random.numbers(36), ramp, [2.5, 1.25, 8.0, 5.5]),
    ];
    let of_map = |(name, shape, values, colours, crop): (&str, [usize; 4], Vec<f32>, Vec<f32>, [f32; 4])| {
        let mut net = Net::new(15);
        let map = net.plain(shape, values);
        let map = net.op(Op::Pack, &[map]);
        let photo = net.graph.input(Kind::Pixels, [1, 3, 9, 13]);
        let colours = net.plain(COLOURS, colours);
        let of = |map: usize| Op::Overlay(Overlay { map, crop, signed: map == 1 });
        let drawn = [0, 1, 2].map(|i| net.op(of(i), &[map, photo, colours]));
        let mut case = Case::of(format!("overlay of a {name}"), TOLERANCE, net, &drawn);
        let step = |check: Check| Check { stage: Stage::Overlay, tolerance: 1.0, ..check };
        case.checks = case.checks.into_iter().map(step).collect();
        case.inputs.push((photo, bytes(9 * 13 * 4)));
        case
    };
    kinds.map(of_map).into()
}
