// Numbers moved, repeated or added.
//   y[place] = Σ x[x_start + Σ digit · its stride in x], over the digits' values with y_start + Σ digit · its stride in y = place
// x, y [n][blocks][h][w]: texels, one of y per invocation. Places count channels, rows, columns; with WHOLE blocks, rows, columns.
// A digit: extent, stride in y, stride in x, axis in y + 4 · axis in x, where axis 3 means none. `kept` digits have a place in
// y, those of an axis with falling strides. The ADDED ones after them are added, at most 2¹³ numbers: lavapipe ends an
// invocation's loops after 2¹⁶ steps.
// dispatch: n · blocks · h · w invocations of y
struct Params {
    x_size: vec4<u32>,    // texels of an image, blocks, rows, columns
    y_size: vec4<u32>,    // channels, blocks, rows, columns
    x_start: vec4<u32>,
    y_start: vec4<u32>,
    digit: array<vec4<u32>, 10>,
    texels: u32,
    kept: u32,
    sums: u32,            // product of the extents of the digits that are added
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid

#ifdef WHOLE
fn number(image: u32, place: vec4<u32>) -> vec4<f32> {
    return load_x(image * params.x_size.x + (place.x * params.x_size.z + place.y) * params.x_size.w + place.z);
}
#else
fn number(image: u32, place: vec4<u32>) -> f32 {
    return load_x(image * params.x_size.x + (place.x / 4u * params.x_size.z + place.y) * params.x_size.w + place.z)[place.x & 3u];
}
#endif

#ifdef WHOLE
fn gather(image: u32, place: vec4<u32>) -> vec4<f32> {
    var sum = vec4<f32>();
#else
fn gather(image: u32, place: vec4<u32>) -> f32 {
    var sum = 0.0;
#endif
    if any(place < params.y_start) { return sum; }
    var rest = place - params.y_start;
    var start = params.x_start;
    for (var d = 0u; d < params.kept; d++) {
        let digit = params.digit[d];
        let value = split(rest[digit.w & 3u], digit.y);
        if value.x >= digit.x { return sum; }
        rest[digit.w & 3u] = value.y;
        start[digit.w >> 2u] += value.x * digit.z;
    }
    if any(rest > vec4<u32>()) { return sum; }
#ifdef ADDED
    for (var i = 0u; i < params.sums; i++) {
        var at = start;
        var left = vec2<u32>(i, 0u);
#for d in 0..ADDED
        left = split(left.x, params.digit[params.kept + $d].x);
        at[params.digit[params.kept + $d].w >> 2u] += left.y * params.digit[params.kept + $d].z;
#endfor
        sum += number(image, at);
    }
#else
    sum = number(image, start);
#endif
    return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let column = split(at, params.y_size.w);
    let row = split(column.x, params.y_size.z);
    let block = split(row.x, params.y_size.y);
#ifdef WHOLE
    store_y(at, gather(block.x, vec4<u32>(block.y, row.y, column.y, 0u)));
#else
    var texel = vec4<f32>();
#for lane in 0..4
    if 4u * block.y + $lane < params.y_size.x {
        texel[$lane] = gather(block.x, vec4<u32>(4u * block.y + $lane, row.y, column.y, 0u));
    }
#endfor
    store_y(at, texel);
#endif
}
