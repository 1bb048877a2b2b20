// The greatest magnitude over channels: a saliency map.
//   y[m,p] = max_c |x[m,c,p]|
// x [maps][blocks][plane], y [maps][plane] in the first channel: texels, one of y per invocation
// dispatch: maps · plane invocations
struct Params {
    pixels: u32,      // maps · plane
    plane: u32,       // h · w
    blocks: u32,
    channels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#import present
#import greatest

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.pixels { return; }
    let place = split(at, params.plane);
    var most = vec4<f32>();
    let blocks = bound(params.blocks, groups);
    for (var c = 0u; c < blocks; c++) {
        most = greatest(most, abs(load_x((place.x * params.blocks + c) * params.plane + place.y)) * present(c));
    }
    let first = greatest(vec4<f32>(most.x), vec4<f32>(most.y));
    let second = greatest(vec4<f32>(most.z), vec4<f32>(most.w));
    store_y(at, vec4<f32>(greatest(first, second).x, 0.0, 0.0, 0.0));
}
