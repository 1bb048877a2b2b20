//! Every shader in every variant that a plan can use, checked by naga: it must be valid WGSL, and translate for
//! Vulkan, Direct3D, Metal and OpenGL.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use gradcam::cam::{self, Asked, Layer, Method, Normalise};
use gradcam::graph::{
    Activation, Arithmetic, Builder, COLOURS, Contract, Digit, Form, Graph, Interpolation, Kind, Mask, NodeId,
    Omission, Op, Overlay, ParamSource, Rearrange, Rule, Side, fold, gradients,
};
use gradcam::kernels::{Factors, Profile, preprocess};
use gradcam::model::zoo::{Architecture, architectures};
use gradcam::plan::Plan;
use naga::back::{glsl, hlsl, msl, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// A source of tensors without values: plans use extents only.
struct Shapes;

impl ParamSource for Shapes {
    fn get(&mut self, _name: &str, _shape: &[usize]) -> Arc<[f32]> {
        Arc::new([])
    }
}

/// An architecture's graph at an odd size, from plain numbers to heat maps, with the gradient of one of its layers.
fn explained(architecture: &Architecture, layer: impl Fn(&[(String, NodeId)]) -> NodeId) -> (Graph, Vec<NodeId>) {
    let mut graph = Graph::default();
    let images = graph.input(Kind::Plain, [2, 3, 224, 193]);
    let x = graph.push(Op::Pack, &[images]).unwrap();
    let mut shapes = Shapes;
    let mut builder = Builder::new(graph, &mut shapes);
    let logits = (architecture.build)(&mut builder, x, 1000).unwrap();
    let (mut graph, modules) = builder.finish();
    let target = layer(&modules);
    fold(&mut graph, &[target]);
    let requests = graph.input(Kind::Plain, [2, 1, 1, 1]);
    let records = graph.push(Op::Select, &[logits, requests]).unwrap();
    let seed = graph.push(Op::Seed { classes: 1000, requests: 1, maps: 1 }, &[records]).unwrap();
    let gradient = gradients(&mut graph, logits, seed, &[target], Rule::Standard).unwrap()[0];
    let layers = vec![Layer { activations: target, gradients: Some(gradient) }];
    let asked = Asked { method: Method::GradCam.row(), layers };
    let maps = cam::heatmap(&mut graph, &[asked], [224, 193], Normalise::MinMax.into()).unwrap();
    let outputs = [records, maps.range, maps.heatmap].map(|node| graph.push(Op::Unpack, &[node]).unwrap());
    (graph, outputs.into())
}

/// Shaders with their defines, as the plans of all networks use them, for the default layer and for an early one.
fn variants() -> BTreeSet<(&'static str, Vec<(&'static str, u32)>)> {
    let mut all = BTreeSet::new();
    let mut add = |graph: &Graph, outputs: &[NodeId]| {
        let half = |p: Profile| Profile { half: true, ..p };
        let from = |factors| Profile { factors, storage: 48 << 10, ..half(Profile::BUFFERS_SHARED) };
        let narrow = [Factors::F16, Factors::Matrices].map(from);
        for profile in Profile::ALL.into_iter().chain(Profile::ALL.map(half)).chain(narrow) {
            let plan = Plan::new(graph, &profile, outputs);
            all.extend(plan.dispatches.into_iter().map(|d| (d.shader, d.defines)));
        }
    };
    for architecture in architectures() {
        let of_path = |path: &str, modules: &[(String, NodeId)]| {
            modules.iter().find(|(name, _)| name == path).expect("the default layer").1
        };
        let (graph, outputs) = explained(architecture, |modules| of_path(architecture.default_layer, modules));
        add(&graph, &outputs);
        let (graph, outputs) = explained(architecture, |modules| {
            // An early layer on the path to the logits.
            let default = of_path(architecture.default_layer, modules);
            modules.iter().map(|(_, node)| *node).filter(|node| *node < default).nth(6).expect("layers")
        });
        add(&graph, &outputs);
    }
    // Cases that no network has: overlays on photos, raw maps, several layers.
    let mut graph = Graph::default();
    let photo = graph.input(Kind::Pixels, [1, 3, 20, 30]);
    let colours = graph.input(Kind::Plain, COLOURS);
    let x = graph.push(Op::Normalise { mean: vec![0.5; 3], std: vec![0.5; 3] }, &[photo]).unwrap();
    let doubled = graph.push(Op::Add, &[x, x]).unwrap();
    let few = [&[(x, doubled)][..], &[(x, doubled), (doubled, x)]];
    for (method, layers) in Method::ALL
        .iter()
        .filter(|method| method.is_of_any_layer())
        .flat_map(|method| few.map(|layers| (method.row(), layers)))
    {
        let layer = |&(activations, gradients): &(NodeId, NodeId)| Layer { activations, gradients: Some(gradients) };
        let layers: Vec<Layer> = layers.iter().map(layer).collect();
        let maps = cam::heatmap(&mut graph, &[Asked { method, layers }], [40, 50], Normalise::MinMax.into()).unwrap();
        let overlay = Overlay { map: 0, crop: [0.0, 0.0, 30.0, 20.0], signed: false };
        let overlay = graph.push(Op::Overlay(overlay), &[maps.heatmap, photo, colours]).unwrap();
        let numbers = [maps.raw, Some(maps.heatmap)].into_iter().flatten();
        let numbers: Vec<NodeId> = numbers.map(|map| graph.push(Op::Unpack, &[map]).unwrap()).collect();
        add(&graph, &[overlay]);
        add(&graph, &numbers);
    }
    for normalise in [Normalise::Max, Normalise::Percentile, Normalise::Signed, Normalise::None] {
        let asked =
            Asked { method: Method::HiResCam.row(), layers: vec![Layer { activations: x, gradients: Some(doubled) }] };
        let maps = cam::heatmap(&mut graph, &[asked], [40, 50], normalise.into()).unwrap();
        let heatmap = graph.push(Op::Unpack, &[maps.heatmap]).unwrap();
        add(&graph, &[heatmap]);
    }
    // Operations of methods that take several images.
    let mut graph = Graph::default();
    let x = graph.input(Kind::Plain, [2, 6, 4, 5]);
    let x = graph.push(Op::Pack, &[x]).unwrap();
    let pooled = graph.push(Op::Mean, &[x]).unwrap();
    let map = graph.push(Op::Slice { start: 0, channels: 1 }, &[x]).unwrap();
    let range = graph.push(Op::MinMax, &[map]).unwrap();
    let vary = |omission| Op::Vary { omission, first: 1, count: 3 };
    let masks = |mask| Op::Masks { mask, images: 2, first: 1, count: 3, size: [7, 9] };
    let resize = |by| Op::Resize { to: [7, 9], by };
    let several = [
        (Op::Noise { key: 1, deviation: 0.1 }, vec![x, range]),
        (Op::Unfold, vec![x]),
        (Op::Columns { count: 2 }, vec![pooled]),
        (vary(Omission::Channel), vec![x]),
        (vary(Omission::OtherPixels), vec![x]),
        (Op::Mirror, vec![x]),
        (Op::PlaneMax, vec![x]),
        (masks(Mask::Square { side: 3, step: 2, across: 2 }), vec![]),
        (masks(Mask::Grid { key: 1 }), vec![]),
        (resize(Interpolation::Corners), vec![map]),
        (resize(Interpolation::Nearest), vec![map]),
        (resize(Interpolation::Cubic), vec![map]),
    ];
    for (op, operands) in several {
        let value = graph.push(op, &operands).unwrap();
        let output = graph.push(Op::Unpack, &[value]).unwrap();
        add(&graph, &[output]);
    }
    // Operations that only imported networks have.
    for c in [8, 6] {
        let mut graph = Graph::default();
        let push = |graph: &mut Graph, op: Op, operands: &[NodeId]| graph.push(op, operands).unwrap();
        let x = graph.input(Kind::Plain, [1, c, 4, 5]);
        let x = push(&mut graph, Op::Pack, &[x]);
        let axis = |extent, axis| Digit { extent, from: Some((axis, 1)), to: Some((axis, 1)) };
        let from = Side::whole([c, 4, 5]);
        let mut values: Vec<NodeId> =
            Activation::ALL.iter().map(|f| push(&mut graph, Op::Activate(*f), &[x])).collect();
        for (to, digits) in [
            ([c, 4, 1], vec![axis(c, 0), axis(4, 1), Digit { to: None, ..axis(5, 2) }]),
            ([1, 4, 5], vec![Digit { to: None, ..axis(c, 0) }, axis(4, 1), axis(5, 2)]),
        ] {
            let moved = push(&mut graph, Op::Rearrange(Rearrange { from, to: Side::whole(to), digits }), &[x]);
            for op in [Arithmetic::Add, Arithmetic::Multiply] {
                values.push(push(&mut graph, Op::Broadcast(op), &[x, moved]));
            }
        }
        for form in [Form::Channels, Form::Pixels([1, c / 2])] {
            let y = push(&mut graph, Op::Contract(Contract { form, groups: 2 }), &[x, x]);
            values.push(push(&mut graph, Op::Softmax, &[y]));
        }
        let mut outputs = vec![];
        for y in values {
            let y = push(&mut graph, Op::Mean, &[y]);
            let [_, channels, ..] = graph.shape(y);
            let seed = graph.input(Kind::Plain, [1, channels, 1, 1]);
            let seed = push(&mut graph, Op::Pack, &[seed]);
            let dx = gradients(&mut graph, y, seed, &[x], Rule::Standard).unwrap()[0];
            outputs.push(push(&mut graph, Op::Unpack, &[dx]));
        }
        add(&graph, &outputs);
    }
    all.extend(Profile::ALL.map(|p| ("peak", vec![("WORKGROUP", p.flat), ("ROUNDS", 1)])));
    all
}

#[test]
fn every_variant_translates() {
    // `tools/check_shaders.sh` sets this folder, to check the translations with other compilers.
    let folder = std::env::var_os("GRADCAM_SHADER_TEXTS").map(PathBuf::from);
    let variants = variants();
    for (i, (shader, defines)) in variants.iter().enumerate() {
        let text = preprocess::expand(shader, defines);
        let name = format!("{shader} {defines:?}");
        let module =
            naga::front::wgsl::parse_str(&text).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&text)));
        // The capabilities of a device without extensions, plus those that the variant is made for.
        let has = |name: &str| defines.iter().any(|(define, _)| *define == name);
        let needed = [
            ("SUBGROUP", Capabilities::SUBGROUP),
            ("HALF", Capabilities::SHADER_FLOAT16_IN_FLOAT32),
            ("NARROW", Capabilities::SHADER_FLOAT16),
            ("MATRIX", Capabilities::SHADER_FLOAT16 | Capabilities::COOPERATIVE_MATRIX),
        ];
        let capabilities = needed.into_iter().filter(|(name, _)| has(name)).map(|(_, capability)| capability).collect();
        let info = Validator::new(ValidationFlags::all(), capabilities)
            .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
            .subgroup_operations(naga::valid::SubgroupOperationSet::all())
            .validate(&module)
            .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&text)));
        let bound = module.global_variables.iter().filter(|(_, g)| g.binding.is_some()).count();
        assert!(bound <= 6, "{name}: over five operands");
        assert!(module.entry_points[0].workgroup_size.iter().product::<u32>() <= 256, "{name}: over 256 invocations");
        let texts = translate(&name, &module, &info, [has("NARROW"), has("MATRIX")]);
        if let Some(folder) = &folder {
            // The first line of the WGSL text names the variant.
            for (ending, text) in texts.into_iter().chain([("wgsl", format!("// {name}\n{text}").into())]) {
                std::fs::write(folder.join(format!("{i:04}-{shader}.{ending}")), text).unwrap();
            }
        }
    }
    let used: BTreeSet<&str> = variants.iter().map(|(shader, _)| *shader).collect();
    let unused: Vec<&str> = preprocess::shaders().filter(|shader| !used.contains(shader)).collect();
    assert!(unused.is_empty(), "no plan asks for {unused:?}");
    println!("{} variants of {} shaders", variants.len(), used.len());
}

/// SPIR-V, HLSL, MSL and GLSL ES 3.1, each with its file extension. OpenGL has no f16, and matrix units are used on Vulkan
/// alone. Their SPIR-V has an extension of its own, because checkers of its version are rare.
fn translate(
    name: &str,
    module: &naga::Module,
    info: &naga::valid::ModuleInfo,
    [narrow, matrices]: [bool; 2],
) -> Vec<(&'static str, Vec<u8>)> {
    // Subgroups need version 1.3, matrices need 1.6.
    let options = spv::Options { lang_version: if matrices { (1, 6) } else { (1, 3) }, ..Default::default() };
    let words = spv::write_vec(module, info, &options, None).unwrap_or_else(|e| panic!("{name}: SPIR-V: {e}"));
    let spirv = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    if matrices {
        return vec![("matrices", spirv)];
    }

    let options = hlsl::Options { fake_missing_bindings: true, ..Default::default() };
    let (mut hlsl, pipeline) = (String::new(), hlsl::PipelineOptions::default());
    hlsl::Writer::new(&mut hlsl, &options, &pipeline)
        .write(module, info, None)
        .unwrap_or_else(|e| panic!("{name}: HLSL: {e}"));

    let options = msl::Options { fake_missing_bindings: true, ..Default::default() };
    let (msl, _) = msl::write_string(module, info, &options, &msl::PipelineOptions::default())
        .unwrap_or_else(|e| panic!("{name}: MSL: {e}"));

    let texts = vec![("spv", spirv), ("hlsl", hlsl.into()), ("metal", msl.into())];
    if narrow {
        return texts;
    }
    let options = glsl::Options { version: glsl::Version::new_gles(310), ..Default::default() };
    let pipeline =
        glsl::PipelineOptions { shader_stage: naga::ShaderStage::Compute, entry_point: "main".into(), multiview: None };
    let mut glsl = String::new();
    glsl::Writer::new(&mut glsl, module, info, &options, &pipeline, BoundsCheckPolicies::default())
        .and_then(|mut writer| writer.write())
        .unwrap_or_else(|e| panic!("{name}: GLSL: {e}"));
    texts.into_iter().chain([("comp", glsl.into())]).collect()
}

/// The first lines of a shader say what it computes and how it is dispatched.
#[test]
fn every_shader_has_a_header() {
    for shader in preprocess::shaders() {
        let path = format!("{}/shaders/{shader}.wgsl", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let header: String = text.lines().take_while(|l| l.starts_with("//")).collect();
        assert!(header.contains('=') && header.contains("dispatch:"), "{shader}: {header}");
    }
}

/// `shared/split.wgsl` is exact even if divisions are off by 2.5 units in the last place.
#[test]
fn split_is_exact_however_divisions_round() {
    let off = |value: f32, units: f32| value * (1.0 + units * f32::EPSILON);
    let split = |a: u32, b: u32, units: f32| {
        let divisor = b as f32;
        let guess = off(a as f32 / divisor, units) as u32;
        let rest = a.wrapping_sub(guess.wrapping_mul(b)) as i32;
        let near = guess.wrapping_add(off(rest as f32 / divisor, units).floor() as i32 as u32);
        let rest = a.wrapping_sub(near.wrapping_mul(b)) as i32;
        let quotient = near.wrapping_sub(u32::from(rest < 0)).wrapping_add(u32::from(rest >= b as i32));
        [quotient, a.wrapping_sub(quotient.wrapping_mul(b))]
    };
    let mut state = 1_u64;
    let mut random = |bits: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 34) as u32 >> (30 - bits)
    };
    for round in 0..2_000_000 {
        let b = random(round % 30 + 1).max(1);
        // Any number, and numbers next to a multiple of the divisor, where rounding matters.
        let anywhere = random(30);
        let multiple = (anywhere / b * b).saturating_sub(round & 1);
        for a in [anywhere, multiple] {
            for units in [-2.5, 0.0, 2.5] {
                assert_eq!(split(a, b, units), [a / b, a % b], "{a} / {b}, off by {units}");
            }
        }
    }
}

/// The kernel that docs/kernels.md shows expanded is what the preprocessor makes.
#[test]
fn the_documented_kernel_is_true() {
    let defines =
        [("WORKGROUP", 64), ("BLOCKS", 1), ("PIXELS", 2), ("LOADS", 1), ("QUADS", 1), ("APART", 1), ("ACTIVATION", 1)];
    let text = preprocess::expand("pointwise", &defines);
    let main: Vec<&str> = text[text.find("@compute").unwrap()..].lines().filter(|l| !l.starts_with("//")).collect();
    let documentation = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/kernels.md")).unwrap();
    let shown = documentation.split("```wgsl\n").nth(1).and_then(|block| block.split("```").next()).unwrap();
    assert_eq!(shown.trim(), main.join("\n").trim());
}
