// Unpacks texels of four channels into row-major planes.
//   y[n,c,p] = x[n,c/4,p][c%4]
// x [n][blocks][plane]: texels; y [n][channels][plane]: numbers, one per invocation
// dispatch: n · channels · plane invocations
struct Params {
    numbers: u32,   // n · channels · plane
    channels: u32,
    blocks: u32,
    plane: u32,     // h · w
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.numbers { return; }
    let row = split(at, params.plane);
    let image = split(row.x, params.channels);
    let texel = load_x((image.x * params.blocks + image.y / 4u) * params.plane + row.y);
    y[at] = texel[image.y % 4u];
}
