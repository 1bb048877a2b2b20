//! Properties of plans. Values that are alive at the same time never share memory, and limits hold. A run is one
//! submission and one readback, of the requested outputs only.

mod common;

use std::collections::BTreeMap;

use common::Random;
use gradcam::graph::{Graph, Kind, NodeId, Op, Shape};
use gradcam::kernels::{Operand, Profile};
use gradcam::plan::{Medium, Plan, bytes};
use gradcam::{
    Classes, Colormap, Device, Explainer, Explanation, Gpu, GpuOptions, Images, Method, Model, Normalise, Outputs,
    Overlay, Photo, Stats, Style, Target,
};

fn photo() -> Photo {
    Photo::open(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/chelsea.png")).unwrap()
}

/// A random graph of additions and means, with several outputs.
fn random_graph(seed: u64) -> (Graph, Vec<NodeId>) {
    let mut random = Random(seed);
    let mut pick = |below: usize| ((random.number() + 1.0) / 2.0 * below as f32) as usize % below;
    let mut graph = Graph::default();
    let shapes: [Shape; 2] = [[1, 5, 6, 7], [1, 9, 3, 4]];
    let mut values: Vec<NodeId> = shapes
        .iter()
        .map(|s| {
            let plain = graph.input(Kind::Plain, *s);
            graph.push(Op::Pack, &[plain]).unwrap()
        })
        .collect();
    for _ in 0..30 {
        let a = values[pick(values.len())];
        let alike: Vec<NodeId> = values.iter().copied().filter(|v| graph.shape(*v) == graph.shape(a)).collect();
        values.push(graph.push(Op::Add, &[a, alike[pick(alike.len())]]).unwrap());
    }
    let outputs = (0..3).map(|_| graph.push(Op::Unpack, &[values[pick(values.len())]]).unwrap()).collect();
    (graph, outputs)
}

#[test]
fn live_values_never_share_memory() {
    for seed in 0..50 {
        let (graph, outputs) = random_graph(seed);
        for profile in Profile::ALL {
            let plan = Plan::new(&graph, &profile, &outputs);
            // Replays the plan and tracks each slot's value. A read must find the value that was written.
            let mut holds: Vec<Option<NodeId>> = vec![None; plan.slots.len()];
            for &input in &plan.inputs {
                assert!(holds[plan.slot_of[input].unwrap()].replace(input).is_none(), "two inputs in one slot");
            }
            for dispatch in &plan.dispatches {
                for operand in &dispatch.operands {
                    match operand {
                        Operand::Read(id) => assert_eq!(holds[plan.slot_of[*id].unwrap()], Some(*id), "seed {seed}"),
                        Operand::Write(id) => {
                            let slot = plan.slot_of[*id].unwrap();
                            assert!(
                                dispatch.read().all(|r| plan.slot_of[r].unwrap() != slot),
                                "read and written at once"
                            );
                            let ty = graph.nodes[*id].ty;
                            assert!(plan.slots[slot].bytes >= bytes(ty.kind, ty.shape));
                            assert_eq!(plan.slots[slot].medium == Medium::Texels, ty.kind == Kind::Features);
                            holds[slot] = Some(*id);
                        }
                        Operand::Constant(_) => {}
                    }
                }
            }
            for &output in &plan.outputs {
                assert_eq!(holds[plan.slot_of[output].unwrap()], Some(output), "an output was overwritten");
            }
        }
    }
}

/// Memory is reused: the whole network needs a fraction of the sum of its values.
#[test]
fn memory_is_reused() {
    let model = Model::bundled().unwrap();
    let mut network = model.network(Kind::Plain, [1, 3, 224, 224]).unwrap();
    let logits = network.graph.push(Op::Unpack, &[network.logits]).unwrap();
    let plan = Plan::new(&network.graph, &Profile::BUFFERS, &[logits]);
    let written = plan.dispatches.iter().filter_map(gradcam::kernels::Dispatch::written);
    let sum: u64 = written.map(|id| bytes(network.graph.nodes[id].ty.kind, network.graph.shape(id))).sum();
    assert!(plan.memory() * 3 < sum, "{} of {sum}", plan.memory());
    // Few storage bindings, and workgroup counts that fit into two dimensions.
    assert!(plan.dispatches.iter().all(|d| d.operands.len() <= 5 && u64::from(d.groups) < 65_535 * 65_535));
}

/// The sum of: the largest value alive at any time, the second largest alive at any time, and so on. No plan in this
/// order can need less, because values in separate pieces of memory are not split (arXiv 2001.03288, "positional
/// maximums").
fn lower_bound(plan: &Plan) -> u64 {
    let mut life: BTreeMap<NodeId, (usize, usize)> = plan.inputs.iter().map(|&id| (id, (0, 0))).collect();
    for (step, dispatch) in plan.dispatches.iter().enumerate() {
        for id in dispatch.written().into_iter().chain(dispatch.read()) {
            life.entry(id).or_insert((step, step)).1 = step;
        }
    }
    plan.outputs.iter().for_each(|id| life.get_mut(id).unwrap().1 = plan.dispatches.len());
    let mut bound = 0;
    for features in [true, false] {
        let mut positions: Vec<u64> = vec![];
        for step in 0..plan.dispatches.len() {
            let alive = life.iter().filter(|(_, (first, last))| (*first..=*last).contains(&step));
            let types = alive.map(|(id, _)| plan.types[*id]).filter(|ty| (ty.kind == Kind::Features) == features);
            let mut sizes: Vec<u64> = types.map(|ty| bytes(ty.kind, ty.shape)).collect();
            sizes.sort_by_key(|size| std::cmp::Reverse(*size));
            positions.resize(positions.len().max(sizes.len()), 0);
            positions.iter_mut().zip(sizes).for_each(|(most, size)| *most = size.max(*most));
        }
        bound += positions.iter().sum::<u64>();
    }
    bound
}

/// The reported memory of a batch is close to the lower bound.
#[test]
fn memory_is_near_the_lower_bound() {
    for (name, layer) in
        [("resnet50", None), ("resnet50", Some("layer2")), ("mobilenet_v2", None), ("densenet121", None)]
    {
        let mut explainer = Explainer::new(Model::seeded(name, 1000, 1.0).unwrap(), Device::gpu().unwrap());
        if let Some(layer) = layer {
            explainer = explainer.with_layer(layer).unwrap();
        }
        let values = vec![0.5; 3 * 224 * 224];
        let images = Images::Tensor { shape: [1, 3, 224, 224], values: &values };
        let outputs = Outputs::default().heatmap(true);
        let Device::Gpu(gpu) = explainer.device() else { unreachable!() };
        let plan = explainer.plan(images, &Classes::Top(1), &outputs, gpu.profile()).unwrap();
        let bound = lower_bound(&plan);
        let told = explainer.explain(images, &Classes::Top(1), &outputs).unwrap().stats.gpu_bytes;
        println!("{name} {layer:?}: {} of {bound} bytes, {told} with weights", plan.memory());
        assert!(plan.memory() <= bound * 6 / 5, "{name} takes {}, and could do with {bound}", plan.memory());
        // Textures end in whole rows, and uniforms in whole slots.
        let least = plan.memory() + plan.weights();
        assert!((least..least * 21 / 20 + (12 << 20)).contains(&told), "{name}: {told} told, {least} planned");
    }
}

#[test]
fn one_submission_and_one_readback() {
    let mut explainer = Explainer::new(Model::bundled().unwrap(), Device::gpu().unwrap());
    let photos = [photo(), photo()];
    let (pixels, maps) = (u64::from(photos[0].width() * photos[0].height()), 2 * 3);
    let scores = |records: u64| 2 * records * 16 + maps * 16;
    let everything = Outputs::default().predictions(5).logits(true).raw(true).heatmap(true).overlay(Style::default());
    for (outputs, asked) in [
        (Outputs::default(), 0),
        (Outputs::default().logits(true), 2 * 1000 * 4),
        (Outputs::default().raw(true), maps * 7 * 7 * 4),
        (Outputs::default().heatmap(true), maps * 224 * 224 * 4),
        (Outputs::default().overlay(Style::default()), maps * pixels * 4),
        (everything, 2 * 1000 * 4 + maps * (7 * 7 + 224 * 224 + pixels) * 4),
    ] {
        for (classes, records) in
            [(Classes::Top(3), outputs.predictions.max(3)), (Classes::Chosen(vec![1, 2, 3]), outputs.predictions + 3)]
        {
            let batch = explainer.explain(Images::Photos(&photos), &classes, &outputs).unwrap();
            let Stats { submissions, readbacks, readback_bytes, .. } = batch.stats;
            assert_eq!((submissions, readbacks), (1, 1));
            assert_eq!(readback_bytes, asked + scores(records as u64), "{outputs:?}");
        }
    }
}

/// The heat maps that overlays are drawn from are counted once, not by each of the two plans.
#[test]
fn memory_of_overlays() {
    let mut explainer = Explainer::new(Model::bundled().unwrap(), Device::gpu().unwrap());
    let photos = [photo(), photo()];
    let maps = 2 * 3;
    let mut bytes = |outputs: &Outputs| {
        explainer.explain(Images::Photos(&photos), &Classes::Top(3), outputs).unwrap().stats.gpu_bytes
    };
    let heatmaps = Outputs::default().heatmap(true);
    let more = bytes(&heatmaps.overlay(Style::default())) - bytes(&heatmaps);
    let pixels = u64::from(photos[0].width() * photos[0].height()) * 4;
    // Photos, overlays, and the overlays on their way back. The maps lie where activations were, as far as these reach.
    let drawn = (2 + maps + maps) * pixels;
    let kept = maps * 224 * 224 * 16;
    assert!((drawn..drawn + kept).contains(&more), "{more} bytes more, {drawn} drawn and {kept} kept");
}

/// Another style is drawn from the maps and photos on the device: nothing else is computed.
#[test]
fn another_style_is_one_dispatch_for_each_overlay() {
    let mut explainer = Explainer::new(Model::bundled().unwrap(), Device::gpu().unwrap());
    let small = Photo::from_rgba("small", 40, 30, (0..40 * 30 * 4).map(|i| (i * 7) as u8).collect()).unwrap();
    let photos = [photo(), small];
    let styles = [0.9, 0.2].map(|alpha| Style::default().alpha(alpha));
    let styles = [styles[0], styles[1].colormap(Colormap::Viridis)];
    let redraw = |explainer: &Explainer, style| pollster::block_on(explainer.redraw(style));
    let refused = |explainer: &Explainer| redraw(explainer, styles[0]).unwrap_err().to_string();
    let no_overlay = "there is no overlay on a device to draw again";
    assert!(refused(&explainer).starts_with(no_overlay));
    let explained = |explainer: &mut Explainer, style: Option<Style>| -> Vec<Vec<Overlay>> {
        let outputs = Outputs::default().overlay(style);
        let batch = explainer.explain(Images::Photos(&photos), &Classes::Top(2), &outputs).unwrap();
        let overlays =
            |explanation: Explanation| explanation.heatmaps.into_iter().filter_map(|map| map.overlay).collect();
        batch.explanations.into_iter().map(overlays).collect()
    };
    let fresh = styles.map(|style| explained(&mut explainer, Some(style)));
    for (style, expected) in styles.into_iter().zip(&fresh) {
        let (overlays, stats) = redraw(&explainer, style).unwrap();
        assert_eq!(&overlays, expected);
        assert_eq!((stats.submissions, stats.readbacks, stats.dispatches), (1, 1, 4));
    }
    assert_ne!(fresh[0], fresh[1]);
    // A batch without overlays, or in another way, leaves none.
    explained(&mut explainer, None);
    assert!(refused(&explainer).starts_with(no_overlay));
    explained(&mut explainer, Some(styles[0]));
    explainer.set_normalise(Normalise::Max);
    assert!(refused(&explainer).starts_with(no_overlay));
    let mut on_cpu = Explainer::new(Model::seeded("squeezenet1_1", 7, 1.0).unwrap(), Device::Cpu);
    explained(&mut on_cpu, Some(styles[0]));
    assert!(refused(&on_cpu).starts_with(no_overlay));
}

/// What is set to what it was needs no other plan.
#[test]
fn the_same_way_keeps_plans() {
    let mut explainer = Explainer::new(Model::seeded("squeezenet1_1", 7, 1.0).unwrap(), Device::gpu().unwrap());
    let explain = |explainer: &mut Explainer| {
        let images = Images::Tensor { shape: [1, 3, 64, 64], values: &[0.5; 3 * 64 * 64] };
        explainer.explain(images, &Classes::Top(1), &Outputs::default()).unwrap();
    };
    explain(&mut explainer);
    let layer = explainer.layers()[0].clone();
    explainer.set_layers(&[&layer]).unwrap();
    explainer.set_methods(&[]);
    explainer.set_normalise(Normalise::default());
    explainer.set_target(Target::default());
    assert!(explainer.forget_plans());
    explain(&mut explainer);
    explainer.set_methods(&[Method::HiResCam]);
    assert!(!explainer.forget_plans());
}

/// Images of a batch do not influence each other, and neither do the classes of an image.
#[test]
fn batches_equal_single_runs() {
    let mut explainer = Explainer::new(Model::bundled().unwrap(), Device::gpu().unwrap());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/");
    let photos = ["chelsea.png", "coffee.png", "rocket.jpg"].map(|n| Photo::open(format!("{folder}{n}")).unwrap());
    let outputs = Outputs::default().predictions(2).logits(true).raw(true).heatmap(true).overlay(Style::default());
    let batch = explainer.explain(Images::Photos(&photos), &Classes::Top(2), &outputs).unwrap();
    for (photo, together) in photos.iter().zip(&batch.explanations) {
        let alone = explainer.explain(Images::Photos(std::slice::from_ref(photo)), &Classes::Top(2), &outputs).unwrap();
        assert_eq!(&alone.explanations[0], together, "{}", photo.name);
        let second = Classes::Chosen(vec![together.heatmaps[1].prediction.class]);
        let chosen = explainer.explain(Images::Photos(std::slice::from_ref(photo)), &second, &outputs).unwrap();
        assert_eq!(chosen.explanations[0].heatmaps[0], together.heatmaps[1], "{}", photo.name);
    }
}

/// Memory is estimated before it is allocated. If there is too little, the error has the numbers.
#[test]
fn too_little_memory_is_refused() {
    let options = GpuOptions::default().memory_limit(12 << 20);
    let gpu = pollster::block_on(Gpu::open(&options)).unwrap();
    let mut explainer = Explainer::new(Model::bundled().unwrap(), Device::from(gpu));
    let error = explainer.explain(Images::Photos(&[photo()]), &Classes::Top(1), &Outputs::default()).unwrap_err();
    assert!(matches!(error, gradcam::Error::OutOfMemory { .. }));
    let text = error.to_string();
    assert!(text.contains("MiB needed, but only 12 MiB are free"), "{text}");
}
