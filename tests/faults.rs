//! Injected device faults. Each ends in its own error, in time, and without a picture.

#[path = "common/place.rs"]
#[allow(dead_code)]
mod place;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gradcam::gpu::{Gpu, GpuOptions, Session, Weights};
use gradcam::graph::{Builder, Graph, Kind, Op, ParamSource};
use gradcam::kernels::{Dispatch, Operand, Profile};
use gradcam::model::zoo::architectures;
use gradcam::model::{Tensor, seeded};
use gradcam::plan::{Medium, Plan, Slot};
use gradcam::{
    Classes, Device, Error, Explainer, Explanation, Heatmap, Images, Method, Model, ModelOptions, Outputs, Overlay,
    Sampling, Status,
};
use safetensors::tensor::{Dtype, TensorView, serialize};

use place::{Place, json};

const INVOCATIONS: u32 = 1 << 14;
/// `peak.wgsl` with this number of rounds takes about ten milliseconds on a large graphics card, and seconds on a
/// CPU.
const LONG: [(&str, u32); 2] = [("WORKGROUP", 64), ("ROUNDS", 200_000)];
/// Shorter than either duration.
const LIMIT: Duration = Duration::from_millis(1);

/// Weights with one tensor that makes values exceed the range of f32.
struct Loud {
    tensor: &'static str,
    tensors: Vec<Tensor>,
}

impl ParamSource for Loud {
    fn get(&mut self, name: &str, shape: &[usize]) -> Arc<[f32]> {
        let loud = |_| vec![3e38; shape.iter().product()].into();
        let values =
            Some(name).filter(|name| *name == self.tensor).map_or_else(|| seeded::tensor(name, shape, 1.0), loud);
        self.tensors.push((name.to_owned(), shape.to_vec(), values.clone()));
        values
    }
}

/// The tensors of such a network.
fn loud(architecture: &str, tensor: &'static str) -> Vec<Tensor> {
    let (mut graph, mut loud) = (Graph::default(), Loud { tensor, tensors: vec![] });
    let input = graph.input(Kind::Plain, [1, 3, 224, 224]);
    let x = graph.push(Op::Pack, &[input]).unwrap();
    let architecture = architectures().find(|a| a.name == architecture).unwrap();
    (architecture.build)(&mut Builder::new(graph, &mut loud), x, 5).unwrap();
    loud.tensors
}

fn open(options: GpuOptions) -> Gpu {
    // The variant does not matter here, and a fixed one avoids a measurement.
    let options = options.profile(Profile::BUFFERS);
    pollster::block_on(Gpu::open(&options)).expect("a graphics adapter: run `make setup`")
}

fn explainer(options: GpuOptions) -> Explainer {
    Explainer::new(Model::bundled().unwrap(), Device::from(open(options)))
}

fn device(explainer: &Explainer) -> &Gpu {
    match explainer.device() {
        Device::Gpu(gpu) => gpu,
        _ => unreachable!("it was opened on a GPU"),
    }
}

/// A session with a plan of one dispatch of `peak.wgsl`, whose duration is set by ROUNDS.
fn session(gpu: &Gpu, defines: Vec<(&'static str, u32)>) -> gradcam::Result<Session> {
    let mut graph = Graph::default();
    let y = graph.input(Kind::Plain, [1, 1, 1, INVOCATIONS as usize]);
    let dispatch = Dispatch {
        node: y,
        before: vec![],
        shader: "peak",
        defines,
        params: bytemuck::bytes_of(&[INVOCATIONS, 0.5_f32.to_bits()]).to_vec(),
        operands: vec![Operand::Write(y)],
        groups: INVOCATIONS / 64,
        product: None,
    };
    let plan = Plan {
        dispatches: vec![dispatch],
        types: vec![graph.nodes[y].ty],
        slots: vec![Slot { medium: Medium::Words, bytes: u64::from(INVOCATIONS) * 4 }],
        slot_of: vec![Some(0)],
        inputs: vec![],
        outputs: vec![y],
        kept: vec![],
    };
    pollster::block_on(Session::new(gpu, &mut Weights::default(), &graph, &plan))
}

/// The error's message. The error must be of the kind that `is` accepts.
fn told<T>(result: gradcam::Result<T>, is: impl FnOnce(&Error) -> bool) -> String {
    let error = result.err().expect("a fault");
    assert!(is(&error) && error.is_machine(), "{error:?}");
    error.to_string()
}

fn lost(error: &Error) -> bool {
    matches!(error, Error::DeviceLost { .. })
}

/// The device is destroyed before any work, between two batches, and with batches in flight.
#[test]
fn a_destroyed_device() {
    let says = |text: String| assert!(text.contains("the device was lost: it was destroyed; start again"), "{text}");
    let values = vec![0.5; 3 * 224 * 224];
    let images = Images::Tensor { shape: [1, 3, 224, 224], values: &values };
    let (classes, outputs) = (Classes::Top(1), Outputs::default().heatmap(true));
    let mut explainer = explainer(GpuOptions::default());
    explainer.explain(images, &classes, &outputs).unwrap();
    let mut submit = || pollster::block_on(explainer.submit(images, &classes, &outputs));
    let pending = [submit().unwrap(), submit().unwrap()];
    device(&explainer).check().unwrap();
    device(&explainer).destroy();
    says(told(device(&explainer).check(), lost));
    for pending in pending {
        says(told(pollster::block_on(pending.finish()), lost));
    }
    // The plan exists already.
    says(told(explainer.explain(images, &classes, &outputs), lost));
    // A new plan is needed.
    says(told(explainer.explain(images, &Classes::Top(2), &outputs), lost));
    says(told(pollster::block_on(explainer.time()), lost));
    says(told(pollster::block_on(device(&explainer).peak()), lost));
}

/// The device is destroyed while another thread waits for it.
#[test]
fn a_device_destroyed_amid_a_run() {
    let gpu = open(GpuOptions::default());
    let long = session(&gpu, LONG.to_vec()).unwrap();
    let run = pollster::block_on(long.submit(&gpu, &[], false)).unwrap();
    let text = std::thread::scope(|scope| {
        let waits = scope.spawn(|| told(pollster::block_on(long.finish(&gpu, run, &mut |_, _| (), |_, _| ())), lost));
        std::thread::sleep(Duration::from_millis(2));
        gpu.destroy();
        waits.join().unwrap()
    });
    assert!(text.contains("the device was lost: it was destroyed; start again"), "{text}");
}

/// Closing a device waits no longer than the limit for work that nobody waited for, whether the device is lost or
/// not.
#[test]
fn work_that_nobody_waits_for() {
    for destroyed in [false, true] {
        let gpu = open(GpuOptions::default().timeout(LIMIT));
        let endless = session(&gpu, LONG.to_vec()).unwrap();
        let start = Instant::now();
        let run = pollster::block_on(endless.submit(&gpu, &[], false)).unwrap();
        if destroyed {
            gpu.destroy();
        }
        drop((run, endless, gpu));
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
}

/// The memory limit counts everything that is kept. There is room again once a batch in flight is done and its plan
/// is dropped.
#[test]
fn memory_that_others_hold() {
    let values = vec![0.5; 3 * 224 * 224];
    let images = Images::Tensor { shape: [1, 3, 224, 224], values: &values };
    let outputs = Outputs::default().heatmap(true);
    let (one, two) = (Classes::Top(1), Classes::Top(2));
    let needed = explainer(GpuOptions::default()).explain(images, &two, &outputs).unwrap().stats.gpu_bytes;
    // Enough for the weights and one plan, but not for two plans.
    let memory_limit = Some(needed + (1 << 20));
    let mut explainer = explainer(GpuOptions::default().memory_limit(memory_limit));
    let explain = |explainer: &mut Explainer, classes| told_memory(explainer.explain(images, classes, &outputs));
    let pending = pollster::block_on(explainer.submit(images, &one, &outputs)).unwrap();
    assert!(explain(&mut explainer, &two).is_some());
    assert!(explainer.forget_plans());
    assert!(explain(&mut explainer, &two).is_some(), "the batch on its way holds its plan");
    pollster::block_on(pending.finish()).unwrap();
    assert!(explain(&mut explainer, &two).is_none() && explain(&mut explainer, &one).is_some());
    assert!(explainer.forget_plans() && explain(&mut explainer, &one).is_none());
}

/// The message if there was too little memory.
fn told_memory<T>(result: gradcam::Result<T>) -> Option<String> {
    let text = result.is_err().then(|| told(result, |error| matches!(error, Error::OutOfMemory { .. })))?;
    assert!(text.contains("MiB are free; use a smaller --batch"), "{text}");
    Some(text)
}

/// The program also ends in time, with one line and without a picture.
#[test]
fn the_program_does_not_wait_for_ever() {
    let place = Place::with(&["chelsea.png"]);
    let limited = "explain chelsea.png -o map.png --timeout 0.00001";
    let (code, out, err) = place.run(limited);
    let says = err.contains("no answer within 0.00001 s; use a smaller batch") && err.lines().count() == 1;
    assert!(code == Some(1) && out.is_empty() && says, "{code:?} {out} {err}");
    assert!(!place.path("map.png").exists());
    place.refuses(
        2,
        "explain chelsea.png --timeout 0 => --timeout|above 0
         explain chelsea.png --timeout=-1 => --timeout|above 0
         explain chelsea.png --timeout NaN => --timeout|above 0
         explain chelsea.png --timeout 1e99 => --timeout|above 0",
    );
}

/// The wait ends long before the work does. Neither a further run nor closing the device waits for it.
#[test]
fn a_submission_that_does_not_end() {
    let gpu = open(GpuOptions::default().timeout(LIMIT));
    let endless = session(&gpu, LONG.to_vec()).unwrap();
    let start = Instant::now();
    let timed_out = |error: &Error| matches!(error, Error::TimedOut { .. });
    let text = told(pollster::block_on(endless.run(&gpu, &[])), timed_out);
    assert!(text.contains("no answer within 0.001 s; use a smaller batch or a longer --timeout"), "{text}");
    // The session is not used again.
    told(pollster::block_on(endless.run(&gpu, &[])), timed_out);
    drop((endless, gpu));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

/// A network whose scores exceed the range of f32: its maps are meaningless, on the GPU and on the CPU, and are not
/// written.
#[test]
fn values_that_are_not_finite() {
    let values = vec![0.5; 3 * 64 * 64];
    let images = Images::Tensor { shape: [1, 3, 64, 64], values: &values };
    for device in [Device::from(open(GpuOptions::default())), Device::Cpu] {
        let model = Model::from_tensors("loud", loud("resnet18", "fc.weight"), &ModelOptions::default()).unwrap();
        let mut explainer = Explainer::new(model, device);
        let outputs = Outputs::default().predictions(5);
        let batch = explainer.explain(images, &Classes::Top(5), &outputs).unwrap();
        let Explanation { predictions, heatmaps, .. } = &batch.explanations[0];
        assert!(heatmaps.iter().all(|heatmap| heatmap.status == Status::NonFinite), "{heatmaps:?}");
        assert!(predictions.iter().all(|prediction| prediction.probability.is_nan()), "{predictions:?}");
        let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("not-finite.png");
        let drawn = Overlay { width: 1, height: 1, rgba: vec![0; 4] };
        let heatmap = Heatmap { overlay: Some(drawn), ..heatmaps[0].clone() };
        let text = told(heatmap.save_overlay(&picture), |error| matches!(error, Error::NonFinite { .. }));
        assert!(text.contains("not-finite.png: the scores or the map are not finite") && !picture.exists(), "{text}");
    }
}

/// Infinities early in a network become NaNs. Activations and pools might turn these into plausible numbers again.
#[test]
fn an_overflow_inside_a_network() {
    let values = vec![0.5; 3 * 64 * 64];
    let images = Images::Tensor { shape: [1, 3, 64, 64], values: &values };
    for (name, tensor) in [
        ("resnet18", "layer1.0.conv1.weight"),                 // ReLU
        ("squeezenet1_1", "features.0.weight"),                // max pools
        ("mobilenet_v2", "features.1.conv.1.weight"),          // ReLU6
        ("mobilenet_v3_small", "features.2.block.2.0.weight"), // hard swish, and gates by the hard sigmoid
    ] {
        let model = Model::from_tensors(name, loud(name, tensor), &ModelOptions::default().architecture(name)).unwrap();
        let mut explainer = Explainer::new(model, Device::from(open(GpuOptions::default())));
        let batch = explainer.explain(images, &Classes::Top(1), &Outputs::default()).unwrap();
        assert_eq!(batch.explanations[0].heatmaps[0].status, Status::NonFinite, "{name}");
    }
}

/// The program reports it, continues, writes no picture, and exits with code 1.
#[test]
fn the_program_tells_what_is_not_finite() {
    let place = Place::with(&["chelsea.png"]);
    let loud = loud("resnet18", "fc.weight");
    let views = loud.iter().map(|(name, shape, values)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values)).unwrap())
    });
    place.write("loud.safetensors", serialize(views, None).unwrap());
    let (code, out, err) = place.run("explain chelsea.png --model loud.safetensors --arch resnet18 --json -o map.png");
    let map = &json(&out)[0]["maps"][0];
    assert!(map["status"] == "non-finite" && map["overlay"].is_null() && map["probability"].is_null(), "{map}");
    // The first line says how photos are assumed to be prepared.
    let says = |line: &str| line.starts_with("gradcam: chelsea.png: the scores or the map are not finite");
    let right = err.lines().count() == 2 && err.lines().next_back().is_some_and(says);
    assert!(code == Some(1) && right, "{code:?} {err}");
    assert!(!place.path("map.png").exists());
}

/// The error of an invalid shader names it. The device continues to work with others.
#[test]
fn an_invalid_shader() {
    let gpu = open(GpuOptions::default());
    let refused = |error: &Error| matches!(error, Error::Device { .. });
    let text = told(session(&gpu, vec![("WORKGROUP", 64)]), refused);
    assert!(text.contains("peak") && text.contains("ROUNDS"), "{text}");
    let valid = session(&gpu, vec![("WORKGROUP", 64), ("ROUNDS", 1)]).unwrap();
    let (values, _) = pollster::block_on(valid.run(&gpu, &[])).unwrap();
    assert_eq!(values[0].len(), INVOCATIONS as usize * 4);
}

/// A caller may stop waiting. What is left of the batch is given up, and the device works on.
#[test]
fn interrupted() {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = stop.clone();
    let gpu = open(GpuOptions::default().interrupt(move || asked.load(Ordering::Relaxed)));
    let model = Model::seeded("squeezenet1_1", 5, 1.0).unwrap();
    let sampling = Sampling::default().samples(400);
    let mut explainer = Explainer::new(model, Device::from(gpu)).with_method(Method::Rise).with_sampling(sampling);
    let values = seeded::tensor("image", &[1, 3, 64, 64], 1.0);
    let images = Images::Tensor { shape: [1, 3, 64, 64], values: &values };
    let outputs = Outputs::default().heatmap(true);
    let mut explain = || explainer.explain(images, &Classes::Chosen(vec![2]), &outputs);
    let (whole, begin) = (explain().unwrap(), Instant::now());
    let again = explain().unwrap();
    let usual = begin.elapsed();
    assert_eq!(whole.explanations, again.explanations);
    stop.store(true, Ordering::Relaxed);
    let begin = Instant::now();
    assert!(matches!(explain(), Err(Error::Interrupted)));
    assert!(begin.elapsed() < usual / 2, "{:?} of {usual:?}", begin.elapsed());
    stop.store(false, Ordering::Relaxed);
    assert_eq!(explain().unwrap().explanations, whole.explanations);
}
