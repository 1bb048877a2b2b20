//! Single operations in every variant of the kernels: `cargo bench --bench kernels -- 'conv 1x1'`.
//!
//! An iteration is a whole run that contains the operation several times. The input is small and enlarged on the
//! device, and of each result only the mean is read back. The throughput is in multiply-adds by the operation's
//! definition, independent of the algorithm, or in comparisons for a max pool.

use std::cell::LazyCell;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use gradcam::gpu::{Gpu, GpuOptions, Session, Weights};
use gradcam::graph::{Conv2d, Graph, Kind, Linear, NodeId, Op, Param, ParamId, Pool2d, Shape, Window};
use gradcam::kernels::Profile;
use gradcam::model::seeded;
use gradcam::plan::Plan;

/// How often a run contains the operation.
const REPEATS: usize = 8;

/// The same operation several times: in sequence if it keeps the shape, else in parallel.
struct Repeated {
    graph: Graph,
    input: NodeId,
    outputs: Vec<NodeId>,
    work: u64,
}

impl Repeated {
    fn new([n, c, h, w]: Shape, op: impl FnOnce(&mut Graph) -> Op) -> Self {
        let mut graph = Graph::default();
        let op = op(&mut graph);
        let input = graph.input(Kind::Plain, [n, 4, h, w]);
        let push = |graph: &mut Graph, op: Op, x| graph.push(op, &[x]).expect("the operand fits");
        let packed = push(&mut graph, Op::Pack, input);
        let mut x = push(&mut graph, Op::SliceGrad { start: 0, channels: c }, packed);
        let (mut results, mut work) = (vec![], 0);
        for _ in 0..REPEATS {
            let y = push(&mut graph, op.clone(), x);
            work += work_of(&graph, y);
            if graph.shape(y) == graph.shape(x) {
                (x, results) = (y, vec![y]);
            } else {
                results.push(y);
            }
        }
        let means: Vec<NodeId> = results.into_iter().map(|y| push(&mut graph, Op::Mean, y)).collect();
        let outputs = means.into_iter().map(|mean| push(&mut graph, Op::Unpack, mean)).collect();
        Self { graph, input, outputs, work }
    }

    fn session(&self, gpu: &Gpu) -> Session {
        let plan = Plan::new(&self.graph, gpu.profile(), &self.outputs);
        pollster::block_on(Session::new(gpu, &mut Weights::default(), &self.graph, &plan)).expect("the device has room")
    }
}

/// Multiply-adds of a node, or comparisons of a max pool.
fn work_of(graph: &Graph, id: NodeId) -> u64 {
    match graph.nodes[id].op {
        Op::Pool2d(pool) => pool.window.kernel.iter().chain(&graph.shape(id)).map(|n| *n as u64).product(),
        _ => graph.multiply_adds(id),
    }
}

/// A parameter from a formula.
fn param(graph: &mut Graph, shape: &[usize]) -> ParamId {
    graph.param(Param::new("weight".into(), shape.to_vec(), seeded::tensor("weight", shape, 1.0)))
}

/// A convolution that keeps the number of channels.
fn conv(graph: &mut Graph, channels: usize, window: Window, groups: usize) -> Conv2d {
    let weight = param(graph, &[channels, channels / groups, window.kernel[0], window.kernel[1]]);
    Conv2d { weight, bias: None, out_channels: channels, window, groups }
}

fn linear(graph: &mut Graph) -> Op {
    Op::Linear(Linear { weight: param(graph, &[1000, 2048]), bias: None, out_features: 1000 })
}

/// Every variant that the device can run.
fn gpus() -> Vec<Gpu> {
    let open = |profile: Profile| {
        let name = profile.name;
        let options = GpuOptions::default().profile(profile);
        pollster::block_on(Gpu::open(&options)).inspect_err(|error| println!("without {name}: {error}")).ok()
    };
    Profile::ALL.into_iter().filter_map(open).collect()
}

fn kernels(criterion: &mut Criterion) {
    let [square, strided] = [1, 2].map(|stride| Window::square(3, stride, 1));
    let point = Window::square(1, 1, 0);
    let conv2d = |channels, window, groups| move |g: &mut Graph| Op::Conv2d(conv(g, channels, window, groups));
    let grad = |g: &mut Graph| Op::Conv2dGrad { conv: conv(g, 128, strided, 1), input: [28, 28], in_channels: 128 };
    let cases = [
        ("conv 1x1, 256 at 28x28", Repeated::new([1, 256, 28, 28], conv2d(256, point, 1))),
        ("conv 3x3, 128 at 28x28", Repeated::new([1, 128, 28, 28], conv2d(128, square, 1))),
        ("conv 3x3 stride 2, 128 at 28x28", Repeated::new([1, 128, 28, 28], conv2d(128, strided, 1))),
        ("gradient of conv 3x3 stride 2, 128 at 28x28", Repeated::new([1, 128, 14, 14], grad)),
        ("depthwise conv 3x3, 144 at 56x56", Repeated::new([1, 144, 56, 56], conv2d(144, square, 144))),
        ("max pool 3x3 stride 2, 64 at 112x112", Repeated::new([1, 64, 112, 112], |_| Pool2d::max(3, 2, 1, false))),
        ("linear, 2048 to 1000", Repeated::new([1, 2048, 1, 1], linear)),
    ];
    let gpus = gpus();
    for (name, case) in cases {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(case.work));
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
        let values: Vec<f32> = seeded::unit("input", case.graph.shape(case.input).iter().product()).collect();
        for gpu in &gpus {
            let session = LazyCell::new(|| case.session(gpu));
            let inputs = [(case.input, bytemuck::cast_slice(&values))];
            let run = || pollster::block_on(session.run(gpu, &inputs)).expect("the device works");
            group.bench_function(BenchmarkId::from_parameter(gpu.profile().name), |b| {
                run(); // The first run compiles.
                b.iter(run);
            });
        }
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
