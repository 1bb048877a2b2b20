// Brings each map into 0..1.
//   y[m,p] = (x[m,p] − least[m]) / (greatest[m] − least[m] + 1e-7)
// x, y [maps][plane], ranges [maps], least and greatest first: texels, one of y an invocation
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
        store_y(at, (load_x(at) - range.x) / (range.y - range.x + 1e-7));
    }
}
