// Brings each map into 0..1, POSITIVE: what speaks for the class, see `shared/rescale.wgsl`.
//   y[m,p] = rescaled(x[m,p], ranges[m])
// x [maps][plane], ranges [maps]: texels; y the same, or PLAIN numbers; one of y an invocation
// dispatch: maps · plane invocations
struct Params {
    texels: u32,    // maps · plane
    plane: u32,     // h · w
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read ranges 2
#ifdef PLAIN
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
fn store_y(i: u32, texel: vec4<f32>) { y[i] = texel.x; }
#else
#import write y 3
#endif
#import grid
#import rescale

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        store_y(at, rescaled(load_x(at), load_ranges(split(at, params.plane).x)));
    }
}
