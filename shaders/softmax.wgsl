// Softmax over the pixels of each channel, as attention needs it.
//   y[c,p] = exp(x[c,p] − max_c) / Σ_q exp(x[c,q] − max_c)
// x, y [planes][plane]: texels of four channels
// tile: LANES invocations share one plane, OUTPUTS planes share a workgroup. Each looks for the greatest number on its own.
// dispatch: ⌈planes / OUTPUTS⌉ workgroups
struct Params {
    planes: u32,    // n · channel blocks
    plane: u32,     // h · w
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#import lanes
#import greatest

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let local = vec2<u32>(index % LANES, index / LANES);
    let at = group_index(id, groups) * OUTPUTS + local.y;
    let exists = at < params.planes;
    let plane = bound(params.plane, groups);
    var most = vec4<f32>();
    var sum = vec4<f32>();
    if exists {
        most = load_x(at * params.plane);
        for (var p = 1u; p < plane; p++) { most = greatest(most, load_x(at * params.plane + p)); }
        for (var p = local.x; p < plane; p += LANES) { sum += exp(load_x(at * params.plane + p) - most); }
    }
    sum = share_lanes(sum, local.x, local.y);
    if exists {
        for (var p = local.x; p < plane; p += LANES) {
            store_y(at * params.plane + p, exp(load_x(at * params.plane + p) - most) / sum);
        }
    }
}
