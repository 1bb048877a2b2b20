// Layer normalisation over the channels of each pixel.
//   y[n,c,p] = (x[n,c,p] − mean_c) / √(variance_c + eps) · weight[c] + bias[c]
// x, y [n][blocks][plane]: texels; w: weight [blocks], then bias [blocks]; one pixel per invocation
// dispatch: n · plane invocations
struct Params {
    pixels: u32,      // n · plane
    plane: u32,       // h · w
    blocks: u32,
    channels: u32,
    eps: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read w 2
#import write y 3
#import grid
#import present
#import moments

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.pixels { return; }
    let image = split(at, params.plane).x;
    let first = image * (params.blocks - 1u) * params.plane + at;
    let m = moments(first);
    for (var c = 0u; c < params.blocks; c++) {
        let i = first + c * params.plane;
        store_y(i, (load_x(i) - m.x) * m.y * load_w(c) + load_w(params.blocks + c));
    }
}
