// A raw map: weighted activations, added over channels.
//   y[m,p] = Σ_c weights[m,c] · a[image(m),c,p]
// With FULL each pixel has weights of its own. With POSITIVE_WEIGHT only positive weights count, with POSITIVE_PRODUCT only
// positive products.
// a [n][blocks][plane], weights [maps][blocks], with FULL [maps][blocks][plane], y [maps][plane] in the first channel: texels;
// `per_image` maps share an image
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

#ifdef FULL
fn weight(map: u32, c: u32, p: u32) -> vec4<f32> { return load_weights((map * params.blocks + c) * params.plane + p); }
#else
fn weight(map: u32, c: u32, p: u32) -> vec4<f32> { return load_weights(map * params.blocks + c); }
#endif
#ifdef POSITIVE_WEIGHT
fn product(w: vec4<f32>, a: vec4<f32>) -> vec4<f32> { return max(w, vec4<f32>()) * a; }
#else
#ifdef POSITIVE_PRODUCT
fn product(w: vec4<f32>, a: vec4<f32>) -> vec4<f32> { return max(w * a, vec4<f32>()); }
#else
fn product(w: vec4<f32>, a: vec4<f32>) -> vec4<f32> { return w * a; }
#endif
#endif

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
            sum += product(weight(map, c, place.y), load_a(first + c * params.plane)) * present(c);
        }
    }
    sum = sum_lanes(sum, local.y, local.x);
    if exists && local.y == 0u {
        store_y(at, vec4<f32>(sum.x + sum.y + sum.z + sum.w, 0.0, 0.0, 0.0));
    }
}
