//! Every shader in every variant that a plan can ask for, through naga: valid WGSL, and translated to what
//! Vulkan, Direct3D, Metal and OpenGL take.

use gradcam::kernels::{Profile, preprocess};
use naga::back::{glsl, hlsl, msl, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// Defines that only some shaders have, and that double their variants.
const OPTIONAL: [(&str, &[&str]); 3] =
    [("GRADIENT", &["conv", "depthwise"]), ("MAX", &["pool", "pool_grad"]), ("ADAPTIVE", &["pool", "pool_grad"])];

fn variants(shader: &'static str, profile: &Profile) -> Vec<Vec<(&'static str, u32)>> {
    let mut base = vec![];
    if profile.texture {
        base.push(("TEXTURE", 1));
    }
    match shader {
        "select" | "min_max" => base.extend([("WORKGROUP", profile.wide), ("LANES", profile.wide)]),
        "linear" | "reduce" | "gate_grad" | "weighted_sum" => {
            let [lanes, outputs] = profile.lanes;
            base.extend([("WORKGROUP", lanes * outputs), ("LANES", lanes), ("OUTPUTS", outputs)]);
            if lanes > 1 {
                base.push(("COOPERATIVE", 1));
            }
        }
        "conv" | "pointwise" | "depthwise" => base.extend([("WORKGROUP", profile.tiled), ("PIXELS", profile.tile[1])]),
        _ => base.push(("WORKGROUP", profile.flat)),
    }
    let mut all = vec![base];
    if shader == "linear" {
        all = (1..=8).map(|images| [&all[0][..], &[("IMAGES", images)]].concat()).collect();
    }
    if matches!(shader, "conv" | "pointwise") {
        let tiles = (0..).map(|i| 1 << i).take_while(|t| *t <= profile.tile[0]);
        all = tiles.flat_map(|t| all.iter().map(move |v| [&v[..], &[("BLOCKS", t)]].concat())).collect();
    }
    for (define, shaders) in OPTIONAL {
        if shaders.contains(&shader) {
            all = all.iter().flat_map(|v| [v.clone(), [&v[..], &[(define, 1)]].concat()]).collect();
        }
    }
    // A maximum is never adaptive.
    all.retain(|v| !["MAX", "ADAPTIVE"].iter().all(|name| v.iter().any(|(n, _)| n == name)));
    all
}

#[test]
fn every_variant_translates() {
    let mut count = 0;
    for profile in Profile::ALL {
        for shader in preprocess::shaders() {
            for defines in variants(shader, &profile) {
                let text = preprocess::expand(shader, &defines);
                let name = format!("{shader} {defines:?}");
                let module = naga::front::wgsl::parse_str(&text)
                    .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&text)));
                // The capabilities of a device without any extension.
                let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
                    .validate(&module)
                    .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&text)));
                assert!(
                    module.global_variables.iter().filter(|(_, g)| g.binding.is_some()).count() <= 5,
                    "{name}: over four operands"
                );
                assert!(
                    module.entry_points[0].workgroup_size.iter().product::<u32>() <= 256,
                    "{name}: over 256 invocations"
                );
                translate(&name, &module, &info);
                count += 1;
            }
        }
    }
    assert!(count > 60, "only {count} variants");
}

/// Writes SPIR-V, HLSL, MSL and GLSL ES 3.1.
fn translate(name: &str, module: &naga::Module, info: &naga::valid::ModuleInfo) {
    spv::write_vec(module, info, &spv::Options::default(), None).unwrap_or_else(|e| panic!("{name}: SPIR-V: {e}"));

    let options = hlsl::Options { fake_missing_bindings: true, ..Default::default() };
    let (mut out, pipeline) = (String::new(), hlsl::PipelineOptions::default());
    hlsl::Writer::new(&mut out, &options, &pipeline)
        .write(module, info, None)
        .unwrap_or_else(|e| panic!("{name}: HLSL: {e}"));

    let options = msl::Options { fake_missing_bindings: true, ..Default::default() };
    msl::write_string(module, info, &options, &msl::PipelineOptions::default())
        .unwrap_or_else(|e| panic!("{name}: MSL: {e}"));

    let options = glsl::Options { version: glsl::Version::new_gles(310), ..Default::default() };
    let pipeline =
        glsl::PipelineOptions { shader_stage: naga::ShaderStage::Compute, entry_point: "main".into(), multiview: None };
    let mut out = String::new();
    glsl::Writer::new(&mut out, module, info, &options, &pipeline, BoundsCheckPolicies::default())
        .and_then(|mut writer| writer.write())
        .unwrap_or_else(|e| panic!("{name}: GLSL: {e}"));
}

/// The first lines of a shader tell what it computes and how it is dispatched.
#[test]
fn every_shader_has_a_header() {
    for shader in preprocess::shaders() {
        let path = format!("{}/shaders/{shader}.wgsl", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let header: String = text.lines().take_while(|l| l.starts_with("//")).collect();
        assert!(header.contains('=') && header.contains("dispatch:"), "{shader}: {header}");
    }
}
