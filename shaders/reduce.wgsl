// Mean over space: global average pooling, and Grad-CAM's weights from the gradients.
//   y[n,c] = 1/plane · Σ_p x[n,c,p]
// x [planes][plane], y [planes]: texels of four channels
// tile: LANES invocations share one plane, OUTPUTS planes share a workgroup
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

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let local = vec2<u32>(index % LANES, index / LANES);
    let at = group_index(id, groups) * OUTPUTS + local.y;
    let exists = at < params.planes;
    var sum = vec4<f32>();
    let plane = bound(params.plane, groups);
    if exists {
        for (var p = local.x; p < plane; p += LANES) {
            sum += load_x(at * params.plane + p);
        }
    }
    sum = sum_lanes(sum, local.x, local.y);
    if exists && local.x == 0u {
        store_y(at, sum / f32(params.plane));
    }
}
