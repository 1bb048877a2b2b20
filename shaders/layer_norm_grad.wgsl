// Gradient of layer normalisation over channels.
//   y[m,c,p] = (d − mean_c(d) − z · mean_c(d · z)) / √(variance_c + eps)
// with d = dy · weight[c] and z = (x − mean_c) / √(variance_c + eps)
// dy, y [maps][blocks][plane], x [n][blocks][plane]: texels; w: weight [blocks], then bias [blocks], which is not read
// tile: one invocation makes one pixel of a map; `per_image` maps share an image
// dispatch: maps · plane invocations
struct Params {
    pixels: u32,      // maps · plane
    plane: u32,       // h · w
    blocks: u32,
    channels: u32,
    eps: f32,
    per_image: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read dy 1
#import read x 2
#import read w 3
#import write y 4
#import grid
#import present
#import moments

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.pixels { return; }
    let map = split(at, params.plane);
    let first = map.x * params.blocks * params.plane + map.y;
    let x_first = split(map.x, params.per_image).x * params.blocks * params.plane + map.y;
    let m = moments(x_first);
    var sum = vec4<f32>();
    var along = vec4<f32>();
    for (var c = 0u; c < params.blocks; c++) {
        let d = load_dy(first + c * params.plane) * load_w(c);
        sum += d;
        along += d * (load_x(x_first + c * params.plane) - m.x) * m.y;
    }
    let mean = dot(sum, vec4<f32>(1.0)) / f32(params.channels);
    let mean_along = dot(along, vec4<f32>(1.0)) / f32(params.channels);
    for (var c = 0u; c < params.blocks; c++) {
        let d = load_dy(first + c * params.plane) * load_w(c);
        let z = (load_x(x_first + c * params.plane) - m.x) * m.y;
        store_y(first + c * params.plane, (d - mean - z * mean_along) * m.y);
    }
}
