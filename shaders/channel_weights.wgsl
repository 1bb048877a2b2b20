// Weights of channels from activations and their gradients.
//   with SHARE  y[m,c] = Σ_p g · a / (Σ_p a + eps)
//   else        y[m,c] = Σ_p max(g, 0) · g² / (2 g² + g³ · Σ_q a[q] + eps), where g = 0 adds nothing: Grad-CAM++
// g = dy[m,c,p], a = a[image(m),c,p]
// a [n][blocks][plane], dy [maps][blocks][plane], y [maps][blocks]: texels; `per_image` maps share an image
// tile: LANES invocations share one plane, OUTPUTS planes share a workgroup
// dispatch: ⌈maps · blocks / OUTPUTS⌉ workgroups
struct Params {
    planes: u32,      // maps · blocks
    plane: u32,       // h · w
    blocks: u32,
    per_image: u32,
    eps: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read a 1
#import read dy 2
#import write y 3
#import grid
#import lanes

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let local = vec2<u32>(index % LANES, index / LANES);
    let at = group_index(id, groups) * OUTPUTS + local.y;
    let exists = at < params.planes;
    let map = split(at, params.blocks);
    let a_plane = split(map.x, params.per_image).x * params.blocks + map.y;
    let plane = bound(params.plane, groups);
    var of_a = vec4<f32>();
    var sum = vec4<f32>();
    if exists {
        for (var p = local.x; p < plane; p += LANES) { of_a += load_a(a_plane * params.plane + p); }
    }
    of_a = share_lanes(of_a, local.x, local.y);
    if exists {
        for (var p = local.x; p < plane; p += LANES) {
            let g = load_dy(at * params.plane + p);
#ifdef SHARE
            sum += g * load_a(a_plane * params.plane + p) / (of_a + params.eps);
#else
            let square = g * g;
            let alpha = square / (2.0 * square + of_a * (square * g) + params.eps);
            sum += max(g, vec4<f32>()) * select(alpha, vec4<f32>(), g == vec4<f32>());
#endif
        }
    }
    sum = sum_lanes(sum, local.x, local.y);
    if exists && local.x == 0u {
        store_y(at, sum);
    }
}
