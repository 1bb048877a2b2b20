// An image several times, each time with something left out.
//   y[n · count + b, c, p] = x[n,c,p], but 0 where c = first + b, or with PIXELS where p ≠ first + b
// x [n][blocks][plane], y [n · count][blocks][plane]: texels, one of y per invocation
// dispatch: n · count · blocks · plane invocations
struct Params {
    texels: u32,
    count: u32,
    plane: u32,       // h · w
    blocks: u32,
    first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let pixel = split(at, params.plane);
    let block = split(pixel.x, params.blocks);
    let image = split(block.x, params.count);
    let x = load_x((image.x * params.blocks + block.y) * params.plane + pixel.y);
    let left = params.first + image.y;
#ifdef PIXELS
    let stays = vec4<bool>(pixel.y == left);
#else
    let stays = vec4<u32>(0u, 1u, 2u, 3u) + block.y * 4u != vec4<u32>(left);
#endif
    store_y(at, select(vec4<f32>(), x, stays));
}
