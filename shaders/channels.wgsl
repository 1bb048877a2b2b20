// Moves channels: a slice, a slice's gradient, a channel shuffle.
//   y[n,c,p] = x[n, (c mod groups) · each + ⌊c / groups⌋ + offset, p], 0 where x has no such channel
// x [n][⌈channels/4⌉][plane], y [n][blocks][plane]: texels, one of y per invocation
// dispatch: n · blocks · plane invocations
struct Params {
    texels: u32,
    blocks: u32,
    plane: u32,     // h · w
    channels: u32,  // of x
    groups: u32,
    each: u32,      // channels of a group
    offset: u32,    // negative values wrap
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let row = split(at, params.plane);
    let place = row.y;
    let image = split(row.x, params.blocks);
    let channel = image.y * 4u;
    let x_row = image.x * ((params.channels + 3u) / 4u);
    var texel = vec4<f32>();
    if params.groups == 1u && (params.offset | params.channels) % 4u == 0u {
        // Whole texels can be moved.
        let source = channel + params.offset;
        if source < params.channels { texel = load_x((x_row + source / 4u) * params.plane + place); }
    } else {
        for (var lane = 0u; lane < 4u; lane++) {
            let c = channel + lane;
            let group = split(c, params.groups);
            let source = group.y * params.each + group.x + params.offset;
            if source < params.channels { texel[lane] = load_x((x_row + source / 4u) * params.plane + place)[source % 4u]; }
        }
    }
    store_y(at, texel);
}
