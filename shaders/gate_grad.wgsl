// Gradient of `gate.wgsl` with respect to the channels' weights.
//   y[m,c] = Σ_p dy[m,c,p] · x[image(m),c,p]
// dy [maps][blocks][plane], x [n][blocks][plane], y [maps][blocks]: texels; `per_image` maps share an image
// tile: LANES invocations share one plane, OUTPUTS planes share a workgroup
// dispatch: ⌈maps · blocks / OUTPUTS⌉ workgroups
struct Params {
    planes: u32,      // maps · blocks
    plane: u32,       // h · w
    blocks: u32,
    per_image: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read dy 1
#import read x 2
#import write y 3
#import grid
#import lanes

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let local = vec2<u32>(index % LANES, index / LANES);
    let at = group_index(id, groups) * OUTPUTS + local.y;
    let exists = at < params.planes;
    let map = split(at, params.blocks);
    let x_plane = split(map.x, params.per_image).x * params.blocks + map.y;
    var sum = vec4<f32>();
    if exists {
        for (var p = local.x; p < params.plane; p += LANES) {
            sum += load_dy(at * params.plane + p) * load_x(x_plane * params.plane + p);
        }
    }
    sum = sum_lanes(sum, local.x, local.y);
    if exists && local.x == 0u {
        store_y(at, sum);
    }
}
