// Concatenates two feature maps.
//   y[n,c,p] = a[n,c,p] for c < joint, else b[n, c − joint, p]
// a [n][⌈joint/4⌉][plane], b [n][b_blocks][plane], y [n][y_blocks][plane]: texels, one of y per invocation
// dispatch: n · blocks · plane invocations
struct Params {
    texels: u32,
    blocks: u32,
    plane: u32,      // h · w
    joint: u32,      // channels of a
    b_blocks: u32,
    y_blocks: u32,   // blocks of an image of y; `y_first` is the first one written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read a 1
#import read b 2
#import write y 3
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let row = split(at, params.plane);
    let place = row.y;
    let image = split(row.x, params.blocks);
    let channel = image.y * 4u;
    let to = (image.x * params.y_blocks + params.y_first + image.y) * params.plane + place;
    let a_row = image.x * ((params.joint + 3u) / 4u);
    let b_row = image.x * params.b_blocks;
    if channel + 4u <= params.joint {
        store_y(to, load_a((a_row + channel / 4u) * params.plane + place));
        return;
    }
    if params.joint % 4u == 0u {
        store_y(to, load_b((b_row + (channel - params.joint) / 4u) * params.plane + place));
        return;
    }
    var texel = vec4<f32>();
    for (var lane = 0u; lane < 4u; lane++) {
        let c = channel + lane;
        if c < params.joint {
            texel[lane] = load_a((a_row + c / 4u) * params.plane + place)[c % 4u];
        } else if c - params.joint < params.b_blocks * 4u {
            let other = c - params.joint;
            texel[lane] = load_b((b_row + other / 4u) * params.plane + place)[other % 4u];
        }
    }
    store_y(to, texel);
}
