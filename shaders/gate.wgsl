// Multiplies channels by weights, as squeeze-excitation does. Also the gradient of this with respect to the channels.
//   y[m,c,p] = x[m,c,p] · s[image(m),c]
// x, y [maps][blocks][plane], s [n][blocks]: texels, one of y per invocation; `per_image` maps share an image
// dispatch: maps · blocks · plane invocations
struct Params {
    texels: u32,
    blocks: u32,
    plane: u32,       // h · w
    per_image: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read s 2
#import write y 3
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        let map = split(split(at, params.plane).x, params.blocks);
        store_y(at, load_x(at) * load_s(split(map.x, params.per_image).x * params.blocks + map.y));
    }
}
