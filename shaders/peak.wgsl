// Measures a device's peak rate of multiply-adds: independent chains in registers, without loads.
//   y[i] = the sum of three vectors, each after a chain of ROUNDS · 8 steps v ← v · x + x
// y [invocations]: numbers; 96 · ROUNDS multiply-adds per invocation
// dispatch: `invocations` invocations
struct Params {
    invocations: u32,
    x: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    let x = vec4<f32>(params.x);
    var a = x + f32(at);
    var b = a + 1.0;
    var c = a + 2.0;
    for (var round = 0u; round < ROUNDS; round++) {
#for step in 0..8
        a = a * x + x;
        b = b * x + x;
        c = c * x + x;
#endfor
    }
    let sum = a + b + c;
    if at < params.invocations { y[at] = sum.x + sum.y + sum.z + sum.w; }
}
