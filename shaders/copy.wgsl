// Copies a feature map to its place among the channels of a wider one.
//   y[n, 4 · y_first + c, p] = x[n,c,p]
// x [n][blocks][plane], y [n][y_blocks][plane]: texels, one of x per invocation
// dispatch: n · blocks · plane invocations
struct Params {
    texels: u32,
    image: u32,     // texels of an image of x
    y_image: u32,   // texels of an image of y
    first: u32,     // first texel of an image of y that is written
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        let image = split(at, params.image);
        store_y(image.x * params.y_image + params.first + image.y, load_x(at));
    }
}
