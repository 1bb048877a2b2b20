// `resized(map, o)`: pixel o of a map of `params.in_size` that is resized to `params.out_size`. The resize is bilinear with
// half-pixel centres and no antialiasing, as torch's align_corners=False; with CORNERS as align_corners=True. With RESCALED the values are rescaled first, by their
// ranges at binding $1.
//   x[m, (oy + ½)·h/oh − ½, (ox + ½)·w/ow − ½]
#import rescale
#ifdef RESCALED
#import read ranges $1
fn value(map: u32, i: u32) -> vec4<f32> { return rescaled(positive(load_x(i)), positive(load_ranges(map))); }
#else
fn value(map: u32, i: u32) -> vec4<f32> { return load_x(i); }
#endif
#import bilinear
fn resized(map: u32, o: vec2<u32>) -> vec4<f32> {
#ifdef CORNERS
    let at = vec2<f32>(o) * vec2<f32>(params.in_size - 1u) / vec2<f32>(max(params.out_size - 1u, vec2<u32>(1u)));
#else
    let at = (vec2<f32>(o) + 0.5) * vec2<f32>(params.in_size) / vec2<f32>(params.out_size) - 0.5;
#endif
    return bilinear(map, params.in_size, at);
}
