// Where the backward pass begins: the derivative of each selected logit with respect to all of them.
//   y[m,c] = 1 if c is the class of record m, else 0
// records [maps]: class first; y [maps][blocks]: texels, one an invocation
// dispatch: maps · blocks invocations
struct Params {
    texels: u32,
    blocks: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> records: array<vec4<f32>>;
#import write y 2
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        let class_id = u32(records[at / params.blocks].x);
        let four = vec4<u32>(0u, 1u, 2u, 3u) + at % params.blocks * 4u;
        store_y(at, select(vec4<f32>(), vec4<f32>(1.0), four == vec4<u32>(class_id)));
    }
}
