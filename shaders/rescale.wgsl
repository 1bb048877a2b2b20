// Brings each map into 0..1.
//   y[m,p] = (x[m,p] − least[m]) / (greatest[m] − least[m] + 1e-7)
// x, y [maps][plane]: numbers, one an invocation; ranges [maps]: least and greatest first
// dispatch: maps · plane invocations
struct Params {
    numbers: u32,   // maps · plane
    plane: u32,     // h · w
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> ranges: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.numbers {
        let range = ranges[at / params.plane];
        y[at] = (x[at] - range.x) / (range.y - range.x + 1e-7);
    }
}
