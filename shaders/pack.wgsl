// Packs row-major planes into texels of four channels. Channels past the last are 0.
//   y[n,c/4,p][c%4] = x[n,c,p]
// x [n][channels][plane]: numbers; y [n][blocks][plane]: texels, one per invocation
// dispatch: n · blocks · plane invocations
struct Params {
    texels: u32,
    channels: u32,
    blocks: u32,
    plane: u32,     // h · w
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
#import write y 2
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let row = split(at, params.plane);
    let image = split(row.x, params.blocks);
    var texel = vec4<f32>();
    for (var lane = 0u; lane < 4u; lane++) {
        let channel = image.y * 4u + lane;
        if channel < params.channels {
            texel[lane] = x[(image.x * params.channels + channel) * params.plane + row.y];
        }
    }
    store_y(at, texel);
}
