// Gradient of the mean over space.
//   y[n,c,p] = finish( x[n,c] / plane )
// x [planes], y [planes][plane]: texels of four channels
// dispatch: planes · plane invocations, one texel each
struct Params {
    texels: u32,    // planes · plane
    plane: u32,     // h · w
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#import epilogue 3

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        store_y(at, finish(at, load_x(split(at, params.plane).x) / f32(params.plane)));
    }
}
