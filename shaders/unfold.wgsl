// Images from channels, or with COLUMNS columns from images.
//   y[n · channels + c, 0, p] = x[n,c,p], or with COLUMNS y[n,c,0,b] = x[n · count + b, c, 0]
// x [n][blocks][plane], y [n · channels][plane] in the first channel: texels, one of y per invocation;
// with COLUMNS x [n · count][blocks], y [n][blocks][count]
// dispatch: n · channels · plane invocations, or with COLUMNS n · blocks · count
struct Params {
    texels: u32,
    count: u32,       // channels of x, or images that become columns
    plane: u32,
    blocks: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
#ifdef COLUMNS
    let column = split(at, params.count);
    let block = split(column.x, params.blocks);
    store_y(at, load_x((block.x * params.count + column.y) * params.blocks + block.y));
#else
    let pixel = split(at, params.plane);
    let channel = split(pixel.x, params.count);
    let texel = load_x((channel.x * params.blocks + channel.y / 4u) * params.plane + pixel.y);
    store_y(at, vec4<f32>(texel[channel.y % 4u], 0.0, 0.0, 0.0));
#endif
}
