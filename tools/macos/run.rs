//! Runs plans without a GPU: g++ compiles each kernel's text in Metal's language with a stand-in for Apple's headers, and it runs
//! on the CPU. `tools/check_macos.sh` puts this in the place of the tests' `run_gpu`.

use std::collections::hash_map::DefaultHasher;
use std::ffi::{CString, c_char, c_int, c_void};
use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::process::Command;

use gradcam::gpu::{Gpu, Stats};
use gradcam::graph::{Graph, Kind, NodeId};
use gradcam::kernels::{Dispatch, Operand, ROW, preprocess, texels_of};
use gradcam::plan::{Plan, ZERO_TEXEL};
use naga::AddressSpace;
use naga::back::msl::{self, BindTarget, EntryPointResources};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// The most workgroups in one dimension of a dispatch.
const ACROSS: u32 = 65535;
/// The place of the buffers' sizes, which kernels without run-time checks do not read.
const SIZES: u8 = 30;

/// Memory of a buffer or a texture, aligned as texels are.
type Memory = Vec<u128>;

fn memory(bytes: &[u8]) -> Memory {
    let mut memory = vec![0; bytes.len().div_ceil(16)];
    fill(&mut memory, bytes);
    memory
}

fn fill(memory: &mut Memory, bytes: &[u8]) {
    bytemuck::cast_slice_mut(memory)[..bytes.len()].copy_from_slice(bytes);
}

pub fn run_gpu(gpu: &Gpu, graph: &Graph, inputs: &[(NodeId, Vec<f32>)], outputs: &[NodeId]) -> (Vec<Vec<f32>>, Stats) {
    let plan = Plan::new(graph, gpu.profile(), outputs);
    let mut slots: Vec<Memory> = plan.slots.iter().map(|slot| memory(&vec![0; slot.bytes as usize])).collect();
    let given = |node: NodeId| bytemuck::cast_slice(&inputs.iter().find(|(id, _)| *id == node).expect("an input").1);
    for &id in &plan.inputs {
        match graph.nodes[id].inputs[..] {
            [numbers] => {
                fill(&mut slots[plan.slot(id)], bytemuck::cast_slice(&texels_of(given(numbers), graph.shape(id))));
            }
            _ => fill(&mut slots[plan.slot(id)], given(id)),
        }
    }
    for dispatch in &plan.dispatches {
        let mut own = vec![memory(&dispatch.params)];
        let constants =
            dispatch.operands.iter().filter_map(|o| if let Operand::Constant(c) = o { Some(c) } else { None });
        own.extend(constants.map(|c| memory(bytemuck::cast_slice(&[vec![[0.0; 4]], c.pack(graph)].concat()))));
        let mut own = own.iter_mut();
        let mut places = vec![own.next().expect("parameters").as_mut_ptr()];
        for operand in &dispatch.operands {
            places.push(match operand {
                Operand::Read(id) | Operand::Write(id) => slots[plan.slot(*id)].as_mut_ptr(),
                Operand::Constant(_) => own.next().expect("a constant").as_mut_ptr(),
            });
        }
        run(dispatch, places);
    }
    let read = |(&id, bytes): (&NodeId, u64)| {
        let from = if plan.types[id].kind == Kind::Features { ZERO_TEXEL } else { 0 };
        let slot: &[u8] = bytemuck::cast_slice(&slots[plan.slot(id)]);
        bytemuck::pod_collect_to_vec(&slot[from as usize..(from + bytes) as usize])
    };
    (plan.outputs.iter().zip(plan.readback()).map(read).collect(), Stats::default())
}

/// Runs a dispatch on the memory of its bindings.
fn run(dispatch: &Dispatch, mut places: Vec<*mut u128>) {
    let rows = dispatch.groups.div_ceil(ACROSS).max(1);
    let mut sizes = memory(&[0; 256]);
    places.resize(usize::from(SIZES), std::ptr::null_mut());
    places.push(sizes.as_mut_ptr());
    kernel(dispatch)(places.as_ptr(), dispatch.groups.div_ceil(rows).max(1), rows);
}

type Kernel = extern "C" fn(memory: *const *mut u128, columns: u32, rows: u32);

unsafe extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// The kernel of a dispatch, compiled at its first use.
fn kernel(dispatch: &Dispatch) -> Kernel {
    let text = program(dispatch);
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    let folder = PathBuf::from(std::env::var_os("GRADCAM_MSL").expect("a folder for kernels"));
    let library = folder.join(format!("{}-{:016x}.so", dispatch.shader, hash.finish()));
    if !library.exists() {
        // Another thread may compile the same.
        let name = format!("{:?}-{}", std::thread::current().id(), dispatch.shader);
        let [source, object] = ["cpp", "so"].map(|ending| folder.join(format!("{name}.{ending}")));
        std::fs::write(&source, text).expect("room for a kernel");
        let mut compiler = Command::new("g++");
        compiler.args("-std=c++17 -O1 -w -fPIC -shared -ffp-contract=off -fsingle-precision-constant".split(' '));
        compiler.arg(format!("-DROW={ROW}"));
        for include in ["tools/macos", "tools/metal"] {
            compiler.arg("-I").arg(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(include));
        }
        let outcome = compiler.arg("-o").arg(&object).arg(&source).output().expect("g++");
        let errors = String::from_utf8_lossy(&outcome.stderr);
        assert!(outcome.status.success(), "{} {:?}: {errors}", dispatch.shader, dispatch.defines);
        std::fs::rename(object, &library).expect("a file of this run");
    }
    let path = CString::new(library.into_os_string().into_encoded_bytes()).expect("a path");
    // SAFETY: the library is the one that `program` describes, and is never closed.
    unsafe {
        let library = dlopen(path.as_ptr(), 2);
        assert!(!library.is_null(), "{path:?} cannot be loaded");
        std::mem::transmute(dlsym(library, c"run".as_ptr()))
    }
}

/// A C++ program with the kernel, as wgpu translates it, and a function that runs all workgroups.
fn program(dispatch: &Dispatch) -> String {
    let text = preprocess::expand(dispatch.shader, &dispatch.defines);
    let module = naga::front::wgsl::parse_str(&text).expect("valid WGSL");
    let info = Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module).expect("a valid module");
    let mut resources = EntryPointResources { sizes_buffer: Some(SIZES), ..Default::default() };
    for (_, global) in module.global_variables.iter() {
        let Some(binding) = global.binding else { continue };
        let (place, texture) = (Some(binding.binding as u8), global.space == AddressSpace::Handle);
        let [buffer, texture] = [!texture, texture].map(|there| place.filter(|_| there));
        resources.resources.insert(binding, BindTarget { buffer, texture, mutable: true, ..Default::default() });
    }
    let unchecked = BoundsCheckPolicy::Unchecked;
    let options = msl::Options {
        lang_version: (2, 4),
        fake_missing_bindings: false,
        per_entry_point_map: [("main".to_owned(), resources)].into(),
        bounds_check_policies: BoundsCheckPolicies {
            index: unchecked,
            buffer: unchecked,
            image_load: unchecked,
            binding_array: unchecked,
        },
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: false,
        ..Default::default()
    };
    let (msl, _) =
        msl::write_string(&module, &info, &options, &msl::PipelineOptions::default()).expect("Metal's language");

    // Arrays without a length have one element in naga's text, past which C++ would not look.
    let mut program: String = msl
        .lines()
        .map(|line| if line.starts_with("typedef") { line.replace("[1];", "[1 << 26];") } else { line.into() } + "\n")
        .collect();
    program = with_calls(&program);
    let (_, rest) = program.split_once("kernel void main_(").expect("the kernel");
    let (parameters, _) = rest.split_once(") {").expect("its parameters");
    // Metal's shared memory begins with anything: here with NaN.
    let (mut shared, mut blanks, mut arguments) = (String::new(), String::new(), vec![]);
    for parameter in parameters.lines().map(|line| line.trim().trim_start_matches(", ")).filter(|line| !line.is_empty())
    {
        let (declared, attribute) = parameter.split_once(" [[").unwrap_or((parameter, ""));
        let (ty, name) = declared.rsplit_once(' ').expect("a type and a name");
        let place = |kind: &str| attribute.strip_prefix(kind).map(|rest| rest.trim_end_matches(")]]"));
        arguments.push(if let Some(place) = place("buffer(") {
            format!("*(std::remove_reference_t<{ty}>*)memory[{place}]")
        } else if let Some(place) = place("texture(") {
            format!("{ty}{{(metal::float4*)memory[{place}]}}")
        } else if attribute.is_empty() {
            writeln!(shared, "static thread_local std::remove_reference_t<{ty}> {name};").unwrap();
            blanks += &format!("std::memset(&{name}, 0xff, sizeof {name}); ");
            name.to_owned()
        } else {
            format!("at.{}", attribute.trim_end_matches("]]"))
        });
    }
    let [x, y, z] = module.entry_points[0].workgroup_size;
    let subgroup = dispatch.defines.iter().find(|(name, _)| *name == "SUBGROUP").map_or(1, |(_, lanes)| *lanes);
    let waits = msl.contains("threadgroup_barrier") || msl.contains("simd_broadcast");
    let arguments = arguments.join(", ");
    write!(
        program,
        "{shared}
static thread_local void* const* memory;
extern \"C\" void run(void* const* places, unsigned columns, unsigned rows) {{
    memory = places;
    metal::body = [](const metal::At& at) {{ main_({arguments}); }};
    metal::uint3 groups(columns, rows, 1u);
    for (unsigned y = 0; y < rows; y++)
        for (unsigned x = 0; x < columns; x++) {{
            {blanks}
            metal::run_group(metal::uint3(x, y, 0u), groups, metal::uint3({x}u, {y}u, {z}u), {subgroup}, {waits});
        }}
}}
"
    )
    .unwrap();
    program
}

/// The text with each swizzle as a call.
fn with_calls(text: &str) -> String {
    let mut words = text.split('.');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let end = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len());
        let swizzle = end > 1 && word[..end].chars().all(|c| "xyzw".contains(c));
        out += ".";
        out += &word[..end];
        out += if swizzle { "()" } else { "" };
        out += &word[end..];
    }
    out
}
