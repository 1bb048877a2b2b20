// Gradient of pooling. Each element gathers from the windows that cover it.
//   MAX  y[m,c,i] = Σ_o dy[m,c,o] where i is the first greatest element of window o in row-major order
//   mean y[m,c,i] = Σ_o dy[m,c,o] / divisor(o)
// dy [maps][blocks][out_h][out_w], x [n][blocks][in_h][in_w], y [maps][blocks][in_h][in_w]: texels, one of y per invocation
// dispatch: maps · blocks · in_h · in_w invocations
struct Params {
    in_size: vec2<u32>,   // width, height
    out_size: vec2<u32>,
    kernel: vec2<u32>,
    stride: vec2<u32>,
    pad: vec2<u32>,       // before the first column and row
    pad_end: vec2<u32>,
    count_pad: u32,       // whether the padding's zeros count in an average
    planes: u32,      // maps · blocks
    blocks: u32,
    per_image: u32,   // maps that share an image
}
@group(0) @binding(0) var<uniform> params: Params;
#import read dy 1
#ifdef ADAPTIVE
#import write y 2
#else
#import read x 2
#import write y 3
#endif
#import grid
#import pool

#ifdef MAX
// For each channel: 1 if `i` is the first of the greatest elements of window `o`, else 0.
fn wins(i: vec2<u32>, o: vec2<u32>, base: u32) -> vec4<f32> {
    let start = window_start(o);
    let end = window_end(o);
    var best = load_x(base + start.y * params.in_size.x + start.x);
    var winner = vec4<u32>(start.y * params.in_size.x + start.x);
    for (var y = start.y; y < end.y; y++) {
        for (var x = start.x; x < end.x; x++) {
            let place = y * params.in_size.x + x;
            let v = load_x(base + place);
            winner = select(winner, vec4<u32>(place), v > best);
            best = max(best, v);
        }
    }
    return select(vec4<f32>(), vec4<f32>(1.0), winner == vec4<u32>(i.y * params.in_size.x + i.x));
}
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    let size = params.in_size;
    let row = split(at, size.x);
    let line = split(row.x, size.y);
    let plane = line.x;
    if plane >= params.planes { return; }
    let i = vec2<u32>(row.y, line.y);
    let map = split(plane, params.blocks);
    let image_plane = split(map.x, params.per_image).x * params.blocks + map.y;
    let first = covering_start(i);
    let end = covering_end(i);
    var sum = vec4<f32>();
    for (var oy = first.y; oy < end.y; oy++) {
        for (var ox = first.x; ox < end.x; ox++) {
            let o = vec2<u32>(ox, oy);
            let g = load_dy((plane * params.out_size.y + oy) * params.out_size.x + ox);
#ifdef MAX
            sum += g * wins(i, o, image_plane * size.x * size.y);
#else
            sum += g / divisor(o);
#endif
        }
    }
    store_y(at, sum);
}
