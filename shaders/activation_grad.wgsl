// Gradient of an activation.
//   y[m,i] = x[m,i] · f'(saved[image(m),i])
// x, y [maps][image]: texels, one per invocation; saved [n][image]: output or input of f; `per_image` maps share an image
// With MASKED, f' has no number for any argument, and must not meet lanes past the last channel.
// dispatch: maps · image invocations
struct Params {
    texels: u32,      // maps · image
    image: u32,       // texels of one image
    per_image: u32,
    plane: u32,       // h · w
    blocks: u32,
    channels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read saved 2
#import write y 3
#import grid
#import activation
#import present

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        let map = split(at, params.image);
        let saved = split(map.x, params.per_image).x * params.image + map.y;
        var y = load_x(at) * slope(ACTIVATION, load_saved(saved));
#ifdef MASKED
        y = select(vec4<f32>(), y, present(split(split(at, params.plane).x, params.blocks).y) > vec4<f32>());
#endif
        store_y(at, y);
    }
}
