// Rescales each map to 0..1. With POSITIVE it keeps only what speaks for the class, see `shared/rescale.wgsl`.
//   y[m,p] = rescaled(x[m,p], ranges[m])
// x [maps][plane], ranges [maps]: texels; y [maps][plane]: texels, or with PLAIN numbers; one of y per invocation
// dispatch: maps · plane invocations
struct Params {
    texels: u32,    // maps · plane
    plane: u32,     // h · w
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read ranges 2
#import write_map 3
#import grid
#import rescale

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        store_y(at, rescaled(positive(load_x(at)), positive(load_ranges(split(at, params.plane).x))));
    }
}
