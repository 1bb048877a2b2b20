// Keeps what speaks for the class.
//   y = max(x, 0)
// x, y: numbers, one an invocation; dispatch: `numbers` invocations
struct Params {
    numbers: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.numbers {
        y[at] = max(x[at], 0.0);
    }
}
