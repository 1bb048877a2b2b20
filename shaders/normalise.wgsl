// Converts pixels to the network's input.
//   y[n,c,p] = (x[n,p].c / 255 − mean[c]) / deviation[c] for c < channels ≤ 3, 0 from there on
// x [n·plane]: RGBA, R in the lowest byte; y [n][1][plane]: texels, one per invocation
// dispatch: n · plane invocations
struct Params {
    mean: vec4<f32>,
    deviation: vec4<f32>,
    texels: u32,    // n · plane
    channels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
#import write y 2
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        let present = vec4<u32>(0, 1, 2, 3) < vec4<u32>(params.channels);
        store_y(at, select(vec4<f32>(), (unpack4x8unorm(x[at]) - params.mean) / params.deviation, present));
    }
}
