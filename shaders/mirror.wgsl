// Columns in reverse.
//   y[n,c,row,column] = x[n,c,row, width − 1 − column]
// x, y [n][blocks][h][w]: texels, one of y per invocation
// dispatch: n · blocks · h · w invocations
struct Params {
    texels: u32,
    width: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let place = split(at, params.width);
    store_y(at, load_x(place.x * params.width + params.width - 1u - place.y));
}
