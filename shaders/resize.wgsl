// Resizes each map, see `shared/resized.wgsl`. With SPANNED the result is rescaled to 0..1 by the range of the resized map.
//   y[m,p] = resized(m, p), or with SPANNED rescaled(resized(m, p), spans[m]), but not below 0
// x [maps][h][w], ranges, spans [maps]: texels; y [maps][oh][ow]: texels, or with PLAIN numbers
// tile: one invocation makes PIXELS neighbouring pixels of a row
// dispatch: maps · oh · strips invocations, strips = ⌈ow / PIXELS⌉
struct Params {
    in_size: vec2<u32>,   // width, height
    out_size: vec2<u32>,
    maps: u32,
    strips: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write_map 2
#import grid
#ifdef SPANNED
#import read spans 3
#import resized 4
// Rounding may put a value below the least of the samples from which the range was computed. Such values become 0.
fn out(map: u32, v: vec4<f32>) -> vec4<f32> {
    let scaled = rescaled(v, load_spans(map));
    return select(scaled, vec4<f32>(), scaled < vec4<f32>());
}
#else
#import resized 3
fn out(map: u32, v: vec4<f32>) -> vec4<f32> { return v; }
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let cut = split(invocation(id, groups), params.strips);
    let line = split(cut.x, params.out_size.y);
    let map = line.x;
    if map >= params.maps { return; }
    let first = cut.y * PIXELS;
    let width = params.out_size.x;
#for p in 0..PIXELS
    let pixel$p = out(map, resized(map, vec2<u32>(first + $pu, line.y)));
#endfor
#for p in 0..PIXELS
    if first + $pu < width { store_y(cut.x * width + first + $pu, pixel$p); }
#endfor
}
