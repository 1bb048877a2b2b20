// Bilinear resize with half-pixel centres and no antialiasing, as torch's align_corners=False.
//   y[m,oy,ox] = x[m, (oy + ½)·h/oh − ½, (ox + ½)·w/ow − ½], of RESCALED values of x
// x [maps][h][w], ranges [maps], y [maps][oh][ow]: texels, one of y an invocation
// dispatch: maps · oh · ow invocations
struct Params {
    in_size: vec2<u32>,   // width, height
    out_size: vec2<u32>,
    texels: u32,          // maps · oh · ow
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#ifdef RESCALED
#import read ranges 3
#import rescale
fn value(map: u32, i: u32) -> vec4<f32> { return rescaled(load_x(i), load_ranges(map)); }
#else
fn value(map: u32, i: u32) -> vec4<f32> { return load_x(i); }
#endif
#import bilinear

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        let size = params.out_size;
        let row = split(at, size.x);
        let map = split(row.x, size.y);
        let o = vec2<f32>(vec2<u32>(row.y, map.y));
        let i = (o + 0.5) * vec2<f32>(params.in_size) / vec2<f32>(size) - 0.5;
        store_y(at, bilinear(map.x, params.in_size, i));
    }
}
