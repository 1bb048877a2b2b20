// Gradient of an activation.
//   y[m,i] = x[m,i] · f'(saved[image(m),i])
// x, y [maps][image]: texels, one per invocation; saved [n][image]: output or input of f; `per_image` maps share an image
// dispatch: maps · image invocations
struct Params {
    texels: u32,      // maps · image
    image: u32,       // texels of one image
    per_image: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read saved 2
#import write y 3
#import grid
#import activation

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        let map = split(at, params.image);
        let saved = split(map.x, params.per_image).x * params.image + map.y;
        store_y(at, load_x(at) * slope(ACTIVATION, load_saved(saved)));
    }
}
