// Start of the backward pass: the derivative of each selected logit with respect to all logits.
//   y[n,j,c] = 1 if c is the class of record j of image n, else 0
// records [n][requests], class first; y [n][maps][blocks]: texels, one of y per invocation
// dispatch: n · maps · blocks invocations
struct Params {
    texels: u32,
    blocks: u32,
    requests: u32,
    maps: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read records 1
#import write y 2
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        let map = split(at, params.blocks);
        let record = split(map.x, params.maps);
        let class_id = u32(load_records(record.x * params.requests + record.y).x);
        let four = vec4<u32>(0u, 1u, 2u, 3u) + map.y * 4u;
        store_y(at, select(vec4<f32>(), vec4<f32>(1.0), four == vec4<u32>(class_id)));
    }
}
