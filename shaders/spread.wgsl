// Gradient of the mean over space.
//   y[n,c,p] = finish( x[n,c] / plane )
// x [planes], y [planes][plane]: texels of four channels
// tile: one invocation makes PIXELS neighbouring pixels of a plane
// dispatch: planes · strips invocations, strips = ⌈plane / PIXELS⌉
struct Params {
    planes: u32,
    plane: u32,     // h · w
    strips: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#import epilogue 3

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let cut = split(invocation(id, groups), params.strips);
    if cut.x >= params.planes { return; }
    let plane = params.plane;
    let mean = load_x(cut.x) / f32(plane);
    let first = cut.y * PIXELS;
#for p in 0..PIXELS
    if first + $pu < plane {
        let to = cut.x * plane + first + $pu;
        store_y(to, finish(to, mean));
    }
#endfor
}
