// What a part of each map does not exceed, found by its bits, because positive numbers are ordered as their bits are.
//   y[m] = (0, v, 0, 0) with the least v ≥ 0 that at least `below` of the sampled values do not exceed
// x [maps][plane] in the first channel, y [maps]: texels
// tile: one workgroup of LANES invocations for each map
// dispatch: `maps` workgroups
struct Params {
    plane: u32,
    count: u32,       // values that are sampled
    apart: u32,       // their distance
    below: u32,
    maps: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#import lanes

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // There may be more workgroups than maps.
    let group = group_index(id, groups);
    let map = min(group, params.maps - 1u);
    let count = bound(params.count, groups);
    // Two bits of the answer at a time.
    var low = 0u;
    for (var bit = 32u; bit > 0u; bit -= 2u) {
        let step = 1u << (bit - 2u);
        let limit = vec3<u32>(low) + vec3<u32>(1u, 2u, 3u) * step - 1u;
        var found = vec4<f32>();
        for (var p = lane; p < count; p += LANES) {
            let v = bitcast<u32>(max(load_x(map * params.plane + p * params.apart).x, 0.0));
            found += vec4<f32>(select(vec3<f32>(), vec3<f32>(1.0), vec3<u32>(v) <= limit), 0.0);
        }
        let total = share_lanes(found, lane, 0u);
        let enough = total.xyz >= vec3<f32>(f32(params.below));
        low += step * select(select(select(3u, 2u, enough.z), 1u, enough.y), 0u, enough.x);
    }
    if lane == 0u && group == map { store_y(map, vec4<f32>(0.0, bitcast<f32>(low), 0.0, 0.0)); }
}
