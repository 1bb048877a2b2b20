// Gradient of `softmax.wgsl`.
//   y[m,c,p] = s[image(m),c,p] · (dy[m,c,p] − Σ_q dy[m,c,q] · s[image(m),c,q])
// dy, y [maps][blocks][plane], s [n][blocks][plane]: texels; `per_image` maps share an image
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
#import read s 2
#import write y 3
#import grid
#import lanes

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let local = vec2<u32>(index % LANES, index / LANES);
    let at = group_index(id, groups) * OUTPUTS + local.y;
    let exists = at < params.planes;
    let map = split(at, params.blocks);
    let s_plane = split(map.x, params.per_image).x * params.blocks + map.y;
    let plane = bound(params.plane, groups);
    var sum = vec4<f32>();
    if exists {
        for (var p = local.x; p < plane; p += LANES) {
            sum += load_dy(at * params.plane + p) * load_s(s_plane * params.plane + p);
        }
    }
    sum = share_lanes(sum, local.x, local.y);
    if exists {
        for (var p = local.x; p < plane; p += LANES) {
            store_y(at * params.plane + p, load_s(s_plane * params.plane + p) * (load_dy(at * params.plane + p) - sum));
        }
    }
}
