// `resized(map, o)`: pixel o of a map of `params.in_size` that is resized to `params.out_size`, without antialiasing. With RESCALED
// the values are rescaled first, by their ranges at binding $1.
//   bilinear       x[m, (oy + ½)·h/oh − ½, (ox + ½)·w/ow − ½], as torch's align_corners=False
//   with CORNERS   x[m, oy·(h − 1)/(oh − 1), ox·(w − 1)/(ow − 1)], as align_corners=True
//   with NEAREST   x[m, ⌊oy·h/oh⌋, ⌊ox·w/ow⌋]
//   with CUBIC     as the first, by Pillow's cubic of 16 neighbours (a = −½); those outside do not count
#import rescale
#ifdef RESCALED
#import read ranges $1
fn value(map: u32, i: u32) -> vec4<f32> { return rescaled(positive(load_x(i)), positive(load_ranges(map))); }
#else
fn value(map: u32, i: u32) -> vec4<f32> { return load_x(i); }
#endif
#ifdef NEAREST
fn resized(map: u32, o: vec2<u32>) -> vec4<f32> {
    let at = min(o, params.out_size - 1u) * params.in_size / params.out_size;
    return value(map, (map * params.in_size.y + at.y) * params.in_size.x + at.x);
}
#else
#ifdef CUBIC
fn weight(distance: f32) -> f32 {
    let d = abs(distance);
    let near = (1.5 * d - 2.5) * d * d + 1.0;
    let far = ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0;
    return select(select(0.0, far, d < 2.0), near, d < 1.0);
}
fn resized(map: u32, o: vec2<u32>) -> vec4<f32> {
    let at = (vec2<f32>(o) + 0.5) * vec2<f32>(params.in_size) / vec2<f32>(params.out_size) - 0.5;
    let first = vec2<i32>(floor(at)) - 1;
    let last = vec2<i32>(params.in_size);
    var sum = vec4<f32>();
    var all = 0.0;
    for (var row = max(first.y, 0); row < min(first.y + 4, last.y); row++) {
        for (var column = max(first.x, 0); column < min(first.x + 4, last.x); column++) {
            let share = weight(at.y - f32(row)) * weight(at.x - f32(column));
            sum += share * value(map, (map * params.in_size.y + u32(row)) * params.in_size.x + u32(column));
            all += share;
        }
    }
    return sum / all;
}
#else
#import bilinear
fn resized(map: u32, o: vec2<u32>) -> vec4<f32> {
#ifdef CORNERS
    let at = vec2<f32>(o) * vec2<f32>(params.in_size - 1u) / vec2<f32>(max(params.out_size - 1u, vec2<u32>(1u)));
#else
    let at = (vec2<f32>(o) + 0.5) * vec2<f32>(params.in_size) / vec2<f32>(params.out_size) - 0.5;
#endif
    return bilinear(map, params.in_size, at);
}
#endif
#endif
