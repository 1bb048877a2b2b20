// Turns each map so that its greatest magnitude is positive: an eigenvector has no sign of its own.
//   y[m,p] = x[m,p], or −x[m,p] where −least > greatest of the map
// x [maps][plane], ranges [maps], y [maps][plane]: texels, one of y per invocation
// dispatch: maps · plane invocations
struct Params {
    texels: u32,    // maps · plane
    plane: u32,     // h · w
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read ranges 2
#import write y 3
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        let range = load_ranges(split(at, params.plane).x);
        let x = load_x(at);
        store_y(at, select(x, -x, -range.x > range.y));
    }
}
