// The greatest number of each channel, by which Full-Grad brings channels to the same scale.
//   y[m,c] = max_p x[m,c,p]
// x [planes][plane], y [planes]: texels of four channels
// tile: LANES invocations share one plane, OUTPUTS planes share a workgroup
// dispatch: ⌈planes / OUTPUTS⌉ workgroups
struct Params {
    planes: u32,      // maps · blocks
    plane: u32,       // h · w
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#import greatest

var<workgroup> most: array<vec4<f32>, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let lane = index % LANES;
    let at = group_index(id, groups) * OUTPUTS + index / LANES;
    let exists = at < params.planes;
    let plane = bound(params.plane, groups);
    if exists {
        var high = load_x(at * params.plane);
        for (var p = lane; p < plane; p += LANES) { high = greatest(high, load_x(at * params.plane + p)); }
        most[index] = high;
    }
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half { most[index] = greatest(most[index], most[index + half]); }
    }
    if exists && lane == 0u { store_y(at, most[index]); }
}
