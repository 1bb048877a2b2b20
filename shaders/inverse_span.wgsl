// The inverse of each channel's range, by which Full-Grad brings channels to the same scale.
//   y[m,c] = 1 / (max_p x[m,c,p] − min_p x[m,c,p] + eps)
// x [planes][plane], y [planes]: texels of four channels
// tile: LANES invocations share one plane, OUTPUTS planes share a workgroup
// dispatch: ⌈planes / OUTPUTS⌉ workgroups
struct Params {
    planes: u32,      // maps · blocks
    plane: u32,       // h · w
    eps: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid

var<workgroup> least: array<vec4<f32>, WORKGROUP>;
var<workgroup> most: array<vec4<f32>, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let lane = index % LANES;
    let at = group_index(id, groups) * OUTPUTS + index / LANES;
    let exists = at < params.planes;
    let plane = bound(params.plane, groups);
    if exists {
        var low = load_x(at * params.plane);
        var high = low;
        for (var p = lane; p < plane; p += LANES) {
            let x = load_x(at * params.plane + p);
            low = min(low, x);
            high = max(high, x);
        }
        least[index] = low;
        most[index] = high;
    }
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            least[index] = min(least[index], least[index + half]);
            most[index] = max(most[index], most[index + half]);
        }
    }
    if exists && lane == 0u {
        store_y(at, 1.0 / (most[index] - least[index] + params.eps));
    }
}
