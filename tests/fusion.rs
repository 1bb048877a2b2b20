//! Epilogues, prologues, fusions and views in every variant, compared with the CPU reference, which executes every
//! node separately.
//!
//! Takes over two minutes on two cores: each check opens a device for every profile, with and without run-time
//! checks, and compiles its kernels again. With a software driver all of this runs on the CPU.

mod common;
#[path = "common/net.rs"]
mod net;

use common::{busy, gpus, short_runs};
use gradcam::graph::{Activation, NodeId, Op, Pool2d, Rule, Window, gradients};
use gradcam::kernels::{Costs, Profile};
use net::{Check, Net};

/// Residual additions and activations as epilogues of every kind of convolution.
#[test]
fn residuals_are_added_on_the_way_out() {
    for (name, window, groups) in [
        ("pointwise", Window::square(1, 1, 0), 1),
        ("taps", Window::square(5, 1, 2), 1),
        ("grouped", Window::square(3, 1, 1), 2),
        ("depthwise", Window::square(3, 1, 1), 16),
        ("winograd", Window::square(3, 1, 1), 1),
    ] {
        for f in [None, Some(Activation::Relu), Some(Activation::Silu)] {
            let mut net = Net::new(1);
            let channels = if name == "winograd" { 96 } else { 16 };
            let x = net.features([2, channels, 13, 10]);
            let y = net.conv(x, channels, window, groups);
            let mut z = net.op(Op::Add, &[x, y]);
            if let Some(f) = f {
                z = net.op(Op::Activate(f), &[z]);
            }
            let output = net.unpack(z);
            for profile in Profile::ALL.map(busy) {
                let shaders = net.shaders(&profile, &[output]);
                assert!(!shaders.contains(&"add") && !shaders.contains(&"activation"), "{name}: {shaders:?}");
                let winograd = shaders.contains(&"winograd_input");
                assert!(winograd == (name == "winograd"), "{name} on {}: {shaders:?}", profile.name);
            }
            net.check_on(gpus(Profile::ALL.map(busy)), name, &[output]);
        }
    }
}

/// 2×2 max pools as epilogues of Winograd's tiles, for odd and even sizes. Other pools have kernels of their own, and
/// so have pools of values with a second reader.
#[test]
fn pools_on_the_way_out() {
    for (size, pool, read, absorbed) in [
        ([14, 20], Pool2d::max(2, 2, 0, false), false, true),
        ([13, 19], Pool2d::max(2, 2, 0, false), false, true),
        ([15, 10], Pool2d::max(2, 2, 0, true), false, false),
        ([14, 12], Pool2d::max(2, 2, 0, true), false, true),
        ([14, 12], Pool2d::max(2, 2, 0, false), true, false),
        ([14, 12], Pool2d::max(3, 2, 1, false), false, false),
        ([14, 12], Pool2d::average(2, 2, 0), false, false),
    ] {
        for f in [None, Some(Activation::HardSwish)] {
            let mut net = Net::new(10);
            let x = net.features([2, 96, size[0], size[1]]);
            let mut y = net.conv(x, 98, Window::square(3, 1, 1), 1);
            if let Some(f) = f {
                y = net.op(Op::Activate(f), &[y]);
            }
            let pooled = net.op(pool.clone(), &[y]);
            // The activation after the pool is not absorbed.
            let after = net.op(Op::Activate(Activation::Relu), &[pooled]);
            let mut outputs = vec![net.unpack(after)];
            if read {
                outputs.push(net.unpack(y));
            }
            for profile in Profile::ALL.map(busy) {
                let shaders = net.shaders(&profile, &outputs);
                let alone = shaders.iter().any(|shader| ["pool", "max_pool"].contains(shader));
                assert!(alone != absorbed && shaders.contains(&"winograd_output"), "{size:?} {pool:?}: {shaders:?}");
            }
            net.check_on(gpus(Profile::ALL.map(busy)), "pool", &outputs);
        }
    }
    // A direct convolution does not absorb the pool.
    let mut net = Net::new(11);
    let x = net.features([1, 8, 9, 10]);
    let y = net.conv(x, 8, Window::square(5, 1, 2), 1);
    let pooled = net.op(Pool2d::max(2, 2, 0, false), &[y]);
    let output = net.unpack(pooled);
    assert!(Profile::ALL.iter().all(|profile| net.shaders(profile, &[output]).contains(&"max_pool")));
    net.check("pool after a direct convolution", &[output]);
}

/// With expensive stores, one kernel computes a convolution of up to four channels and the 3×3 max pool after it.
/// Tested are windows of all kinds, ends of rows and runs, channels that do not fill blocks or tiles, and monotonic
/// activations. Other pools, convolutions and activations, and values with a second reader, stay separate.
#[test]
fn pools_of_the_first_convolution() {
    let rectangle =
        Window { kernel: [5, 2], stride: [1, 3], pad_start: [2, 0], pad_end: [1, 1], ..Window::square(3, 1, 1) };
    let dilated = Window { dilation: [2; 2], ..Window::square(3, 1, 2) };
    let [floor, ceil, padded] =
        [(0, false), (0, true), (1, false)].map(|(pad, ceil)| move || Pool2d::max(3, 2, pad, ceil));
    let relu = Some(Activation::Relu);
    let dear = |p: Profile| Profile { costs: Costs { store: 1e5, parallel: 1.0, ..p.costs }, ..p };
    for (shape, window, out, f, pool, joined) in [
        ([2, 3, 43, 31], Window::square(3, 2, 0), 13, relu, ceil(), true),
        ([1, 3, 40, 47], Window::square(3, 2, 1), 24, relu, padded(), true),
        ([3, 4, 21, 14], Window::square(3, 1, 1), 34, None, floor(), true),
        ([1, 1, 19, 23], rectangle, 6, Some(Activation::Sigmoid), padded(), true),
        ([1, 2, 9, 80], dilated, 70, Some(Activation::Relu6), ceil(), true),
        ([1, 3, 18, 15], Window::square(3, 1, 1), 10, Some(Activation::Silu), ceil(), false),
        ([1, 3, 18, 15], Window::square(7, 2, 3), 10, relu, ceil(), false),
        ([1, 5, 18, 15], Window::square(3, 2, 1), 10, relu, ceil(), false),
        ([1, 3, 18, 15], Window::square(3, 2, 1), 10, relu, Pool2d::average(3, 2, 0), false),
        ([1, 3, 18, 15], Window::square(3, 2, 1), 10, relu, Pool2d::max(2, 2, 0, false), false),
    ] {
        let mut net = Net::new(12);
        let x = net.features(shape);
        let mut z = net.conv(x, out, window, 1);
        if let Some(f) = f {
            z = net.op(Op::Activate(f), &[z]);
        }
        let pooled = net.op(pool.clone(), &[z]);
        let outputs = [net.unpack(pooled)];
        let both = [outputs[0], net.unpack(z)];
        for profile in Profile::ALL.map(dear) {
            let is_joined = net.shaders(&profile, &outputs).contains(&"conv_pool");
            assert!(is_joined == joined && !net.shaders(&profile, &both).contains(&"conv_pool"), "{shape:?} {pool:?}");
        }
        net.check_on(gpus(Profile::ALL.map(dear)), &format!("{shape:?} to {out}, {pool:?}"), &outputs);
    }
}

/// Two convolutions that are added, and a value with two readers: each node is computed once, before it is read.
#[test]
fn joins_of_two_convolutions() {
    let mut net = Net::new(2);
    let x = net.features([1, 12, 9, 7]);
    let a = net.conv(x, 20, Window::square(3, 1, 1), 1);
    let b = net.conv(x, 20, Window::square(1, 1, 0), 1);
    let joined = net.op(Op::Add, &[a, b]);
    let joined = net.op(Op::Activate(Activation::Relu), &[joined]);
    let c = net.conv(joined, 20, Window::square(1, 1, 0), 1);
    let again = net.op(Op::Add, &[c, joined]);
    let twice = net.op(Op::Add, &[again, again]);
    let outputs = [joined, again, twice].map(|id| net.unpack(id));
    net.check("joins", &outputs);
}

/// The whole backward pass of a small residual network, with one and with several maps per image. Activation
/// gradients and sums of gradients are epilogues, and strided convolutions run in phases.
#[test]
fn gradients_through_epilogues() {
    for (n, maps) in [(1, 1), (2, 3)] {
        for f in [Activation::Relu, Activation::HardSwish] {
            let mut net = Net::new(3);
            let x = net.features([n, 8, 15, 18]);
            let a = net.conv(x, 24, Window::square(3, 2, 1), 1);
            let a = net.op(Op::Activate(f), &[a]);
            let b = net.conv(a, 24, Window::square(3, 1, 1), 1);
            let b = net.op(Op::Activate(f), &[b]);
            let b = net.conv(b, 24, Window::square(1, 1, 0), 1);
            let b = net.op(Op::Add, &[b, a]);
            let b = net.op(Op::Activate(f), &[b]);
            let c = net.conv(b, 24, Window::square(5, 2, 2), 24);
            let mean = net.op(Op::Mean, &[c]);
            let logits = net.linear(mean, 10);
            let seed = net.features([n * maps, 10, 1, 1]);
            let targets = [x, a];
            let grads = gradients(&mut net.graph, logits, seed, &targets, Rule::Standard).unwrap();
            let outputs: Vec<NodeId> = grads.iter().chain([&logits]).map(|&id| net.unpack(id)).collect();
            if maps == 1 {
                let shaders = net.shaders(&Profile::TEXTURES, &outputs);
                let alone = shaders.iter().filter(|s| ["activation_grad", "add"].contains(s)).count();
                assert!(alone <= 3, "{shaders:?}");
            }
            net.check(&format!("{f:?} for {maps} maps of {n} images"), &outputs);
        }
    }
}

/// Winograd convolutions with odd sizes, all kinds of padding, channels not divisible by four, chunks, and backward
/// passes.
#[test]
fn winograd() {
    let window = |pad_start: [usize; 2], pad_end: [usize; 2]| Window { pad_start, pad_end, ..Window::square(3, 1, 0) };
    for (shape, out, window) in [
        ([1, 98, 17, 30], 95, window([1; 2], [1; 2])),
        ([2, 99, 14, 14], 96, window([0; 2], [0; 2])),
        ([1, 128, 7, 7], 128, window([2, 0], [1, 2])),
        ([3, 96, 37, 29], 97, window([1; 2], [1; 2])),
    ] {
        let mut net = Net::new(4);
        let x = net.features(shape);
        let y = net.conv(x, out, window, 1);
        let dy = net.features(net.graph.shape(y));
        let dx = gradients(&mut net.graph, y, dy, &[x], Rule::Standard).unwrap()[0];
        let outputs = [y, dx].map(|id| net.unpack(id));
        for profile in Profile::ALL.map(busy) {
            let shaders = net.shaders(&profile, &outputs);
            let count = |name: &str| shaders.iter().filter(|s| **s == name).count();
            let taps = count("conv") + count("conv_shared");
            assert!(count("winograd_input") >= 2 && taps == 0, "{shape:?} on {}: {shaders:?}", profile.name);
        }
        net.check_on(gpus(Profile::ALL.map(busy)), &format!("winograd {shape:?} to {out}"), &outputs);
    }
}

/// Operands of concatenations are written in place where possible, and copied elsewhere.
#[test]
fn concatenations_in_place() {
    let square = Window::square(1, 1, 0);
    for channels in [8, 6] {
        let mut net = Net::new(5);
        let input = net.features([2, channels, 9, 11]);
        let x = net.op(Pool2d::max(3, 2, 1, false), &[input]);
        // A dense block: each layer reads the outputs of all layers before it.
        let mut all = x;
        for _ in 0..3 {
            let norm = net.scale_shift(all);
            let norm = net.op(Op::Activate(Activation::Relu), &[norm]);
            let new = net.conv(norm, channels, Window::square(3, 1, 1), 1);
            all = net.op(Op::Concat, &[all, new]);
        }
        let norm = net.scale_shift(all);
        // An inception block: parallel branches. One has a second reader, one has a residual.
        let a = net.conv(norm, channels, square, 1);
        let b = net.conv(a, 2 * channels, square, 1);
        let b = net.op(Op::Activate(Activation::Relu), &[b]);
        let c = net.conv(norm, channels, square, 1);
        let c = net.op(Op::Add, &[c, a]);
        let ab = net.op(Op::Concat, &[a, b]);
        let abc = net.op(Op::Concat, &[ab, c]);
        let twice = net.op(Op::Concat, &[abc, abc]);
        let end = net.conv(twice, 5, square, 1);
        let outputs = [all, end].map(|id| net.unpack(id));
        let shaders = net.shaders(&Profile::BUFFERS, &outputs);
        let joins = shaders.iter().filter(|s| ["concat", "copy"].contains(s)).count();
        // If channels fill blocks, three joins remain: `a`, which a convolution reads too, `c` with its residual, and
        // `twice`. Otherwise joins are copies, except one at channel 12.
        assert_eq!(joins, if channels == 8 { 3 } else { 5 }, "{shaders:?}");
        net.check(&format!("concatenations of {channels}"), &outputs);
    }
}

/// Batch norms and gates as prologues of 1×1 convolutions. They are read as views, for several images, with and
/// without a residual as epilogue. They stay separate if their value has another reader or the window has padding.
#[test]
fn batch_norms_and_gates_on_the_way_in() {
    let square = Window::square(1, 1, 0);
    for (channels, out) in [(8, 24), (10, 6), (24, 18)] {
        let mut net = Net::new(7);
        let x = net.features([3, channels, 9, 13]);
        let a = net.conv(x, channels, square, 1);
        let block = net.op(Op::Concat, &[a, x]);
        let norm = net.scale_shift(block);
        let norm = net.op(Op::Activate(Activation::Silu), &[norm]);
        let y = net.conv(norm, out, square, 1);
        let gate = net.op(Op::Mean, &[y]);
        let gate = net.op(Op::Activate(Activation::Sigmoid), &[gate]);
        let gated = net.op(Op::Gate, &[y, gate]);
        let z = net.conv(gated, out, square, 1);
        let z = net.op(Op::Add, &[z, y]);
        let outputs = [net.unpack(z)];
        for profile in Profile::ALL {
            let shaders = net.shaders(&profile, &outputs);
            let alone = |s: &&&str| ["scale_shift", "gate", "add"].contains(*s);
            assert_eq!(shaders.iter().filter(alone).count(), 0, "{shaders:?}");
            // With only four bindings there is no room for both a gate and a residual.
            let shaders = net.shaders(&Profile { operands: 4, ..profile }, &outputs);
            assert_eq!(shaders.iter().filter(alone).collect::<Vec<_>>(), [&"add"], "{shaders:?}");
        }
        net.check(&format!("{channels} channels to {out}"), &outputs);
        net.check_on(gpus(short_runs()), &format!("{channels} channels to {out}"), &outputs);

        let needed_twice = [net.unpack(gated), net.unpack(z)];
        assert!(net.shaders(&Profile::BUFFERS, &needed_twice).contains(&"gate"));
        let padded = net.scale_shift(x);
        let padded = net.conv(padded, out, Window::square(3, 1, 1), 1);
        let outputs = [net.unpack(padded)];
        assert!(net.shaders(&Profile::BUFFERS, &outputs).contains(&"scale_shift"));
        net.check("padded", &outputs);
        let single = net.features([2, 1, 5, 6]);
        let single = net.scale_shift(single);
        let single = net.conv(single, 1, square, 1);
        let outputs = [net.unpack(single)];
        net.check("from one channel to one", &outputs);
    }
}

/// A depthwise convolution and the 1×1 convolution after it in one kernel: windows of all kinds, ends of rows,
/// channels that do not fill blocks, a residual. They stay separate if there are too many outputs.
#[test]
fn separable_convolutions() {
    let rectangle = Window { kernel: [3, 5], pad_start: [1, 2], pad_end: [1, 2], ..Window::square(3, 1, 1) };
    let dilated = Window { dilation: [2; 2], ..Window::square(3, 1, 2) };
    // Small maps do not occupy every device, but must use this kernel here.
    let busy = |p: Profile| Profile { costs: Costs { parallel: 1.0, ..p.costs }, ..p };
    for (shape, window, out, f, residual) in [
        ([2, 16, 14, 21], Window::square(3, 1, 1), 16, Activation::Relu6, true),
        ([3, 10, 13, 17], Window::square(3, 2, 1), 13, Activation::HardSwish, false),
        ([1, 24, 9, 18], Window::square(3, 2, 0), 10, Activation::Relu6, false),
        ([1, 13, 8, 11], rectangle, 13, Activation::Silu, true),
        ([2, 6, 11, 12], dilated, 15, Activation::Relu6, false),
    ] {
        let mut net = Net::new(8);
        let x = net.features(shape);
        let z = net.conv(x, shape[1], window, shape[1]);
        let z = net.op(Op::Activate(f), &[z]);
        let mut y = net.conv(z, out, Window::square(1, 1, 0), 1);
        if residual {
            let other = net.features(net.graph.shape(y));
            y = net.op(Op::Add, &[y, other]);
            y = net.op(Op::Activate(Activation::Relu), &[y]);
        }
        let outputs = [net.unpack(y)];
        for profile in Profile::ALL.map(busy) {
            let shaders = net.shaders(&profile, &outputs);
            let apart = shaders.iter().filter(|s| ["depthwise", "pointwise", "add"].contains(s)).count();
            assert!(shaders.contains(&"separable") && apart == 0, "{}: {shaders:?}", profile.name);
        }
        net.check_on(gpus(Profile::ALL.map(busy)), &format!("{shape:?} to {out}"), &outputs);
        let wide = net.conv(z, 160, Window::square(1, 1, 0), 1);
        let wide = [net.unpack(wide)];
        assert!(Profile::ALL.iter().all(|p| !net.shaders(p, &wide).contains(&"separable")));
    }
}

/// Inverted residual blocks with a stride in one kernel: padding with zeros, not with biases, ends of rows, channels
/// that do not fill blocks. They stay separate without a stride, if a value has another reader, and if it would not
/// pay.
#[test]
fn inverted_residuals() {
    // Stores cost much more than products, and small maps are computed in one dispatch.
    let dear = |p: Profile| {
        let costs = Costs { parallel: 1.0, product: 1.0, broadcast: 0.1, store: 1e4, ..p.costs };
        Profile { costs, sums: 32, ..p }
    };
    let shifted = Window { pad_start: [0, 1], pad_end: [1, 1], ..Window::square(3, 2, 0) };
    let square = Window::square(1, 1, 0);
    for (shape, hidden, window, out, f) in [
        ([2, 16, 14, 24], 32, Window::square(3, 2, 1), 24, Activation::Relu6),
        ([3, 10, 13, 17], 21, Window::square(3, 2, 1), 13, Activation::HardSwish),
        ([1, 3, 12, 17], 12, shifted, 10, Activation::Sigmoid),
        ([1, 8, 15, 21], 20, Window::square(5, 2, 2), 9, Activation::Relu6),
    ] {
        let mut net = Net::new(9);
        let x = net.features(shape);
        let build = |net: &mut Net, window: Window| {
            let u = net.conv(x, hidden, square, 1);
            let u = net.op(Op::Activate(f), &[u]);
            let z = net.conv(u, hidden, window, hidden);
            let z = net.op(Op::Activate(Activation::Relu), &[z]);
            (u, net.conv(z, out, square, 1))
        };
        let (u, y) = build(&mut net, window);
        let y = net.op(Op::Activate(Activation::Silu), &[y]);
        let (_, unstrided) = build(&mut net, Window { stride: [1; 2], ..window });
        // There is no binding left for a sum.
        let other = net.features(net.graph.shape(y));
        let (_, z) = build(&mut net, window);
        let sum = net.op(Op::Add, &[z, other]);
        let outputs = [net.unpack(y), net.unpack(sum)];
        let apart = [vec![net.unpack(unstrided)], vec![net.unpack(u), outputs[0]]];
        let kernels = |profile: &Profile, outputs: &[NodeId]| {
            let shaders = net.shaders(profile, outputs);
            ["pointwise", "separable"].map(|shader| shaders.iter().filter(|s| s.starts_with(shader)).count())
        };
        for profile in Profile::ALL {
            assert_eq!(kernels(&dear(profile.clone()), &outputs), [0, 2], "{shape:?} on {}", profile.name);
            assert_eq!(kernels(&Profile { operands: 4, ..dear(profile) }, &outputs), [2, 2], "{shape:?}");
        }
        net.check_on(gpus(Profile::ALL.map(dear)), &format!("{shape:?} to {out}"), &outputs);
        let dear = dear(Profile::TEXTURES);
        assert!(apart.iter().all(|outputs| kernels(&dear, outputs) == [1, 1]), "{shape:?}");
        let cheap = Profile { costs: Costs { store: 0.0, fetch: 0.0, product: 100.0, ..dear.costs }, ..dear };
        assert_eq!(kernels(&cheap, &outputs), [2, 2], "{shape:?}");
    }
}
