// Grad-CAM's raw map.
//   y[m,p] = Σ_c weights[m,c] · a[image(m),c,p]
// a [n][blocks][plane], weights [maps][blocks], y [maps][plane] in the first channel: texels; `per_image` maps share an image
// tile: LANES invocations share one pixel, OUTPUTS neighbouring pixels share a workgroup
// dispatch: ⌈maps · plane / OUTPUTS⌉ workgroups
struct Params {
    pixels: u32,      // maps · plane
    plane: u32,       // h · w
    blocks: u32,
    per_image: u32,
    channels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read a 1
#import read weights 2
#import write y 3
#import grid
#import lanes
#import present

@compute @workgroup_size(OUTPUTS, LANES)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = group_index(id, groups) * OUTPUTS + local.x;
    let exists = at < params.pixels;
    let place = split(at, params.plane);
    let map = place.x;
    let first = split(map, params.per_image).x * params.blocks * params.plane + place.y;
    var sum = vec4<f32>();
    let blocks = bound(params.blocks, groups);
    if exists {
        for (var c = local.y; c < blocks; c += LANES) {
            sum += load_weights(map * params.blocks + c) * load_a(first + c * params.plane) * present(c);
        }
    }
    sum = sum_lanes(sum, local.y, local.x);
    if exists && local.y == 0u {
        store_y(at, vec4<f32>(sum.x + sum.y + sum.z + sum.w, 0.0, 0.0, 0.0));
    }
}
