// Products of two matrices in each group of channels, see `graph::Form`.
//   CHANNELS: y[j,p] = Σ_t a[t,p] · b[t,j]
//   ACROSS:   y[i,p] = Σ_t a[t,p] · b[i,t]
//   PIXELS:   y[i,j] = Σ_t a[i,t] · b[j,t]
// a, b, y [images][blocks][pixels]: texels, one of y per invocation. Groups have `a_group`, `b_group` and `y_group` channels.
// With TEXELS, texels of a and b hold channels of one group; with ALIKE, texels of y do.
// dispatch: images · blocks · pixels of y invocations
struct Params {
    texels: u32,
    terms: u32,
    y_blocks: u32,
    y_pixels: u32,
    y_group: u32,
    y_channels: u32,
    a_blocks: u32,
    a_pixels: u32,
    a_group: u32,
    a_per: u32,       // images of y that share one of a
    b_blocks: u32,
    b_pixels: u32,
    b_group: u32,
    b_per: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read a 1
#import read b 2
#import write y 3
#import grid

fn texel_a(image: u32, block: u32, pixel: u32) -> vec4<f32> {
    return load_a((image * params.a_blocks + block) * params.a_pixels + pixel);
}
fn texel_b(image: u32, block: u32, pixel: u32) -> vec4<f32> {
    return load_b((image * params.b_blocks + block) * params.b_pixels + pixel);
}
fn number_a(image: u32, channel: u32, pixel: u32) -> f32 { return texel_a(image, channel / 4u, pixel)[channel & 3u]; }
fn number_b(image: u32, channel: u32, pixel: u32) -> f32 { return texel_b(image, channel / 4u, pixel)[channel & 3u]; }

// One number of y.
fn product(image: vec2<u32>, channel: u32, pixel: u32, terms: u32) -> f32 {
    let k = split(channel, params.y_group);
    let a = k.x * params.a_group;
    let b = k.x * params.b_group;
    var sum = 0.0;
#ifdef CHANNELS
#ifdef TEXELS
    var sums = vec4<f32>();
    for (var t = 0u; t < terms / 4u; t++) {
        sums += texel_a(image.x, a / 4u + t, pixel) * texel_b(image.y, b / 4u + t, k.y);
    }
    sum = dot(sums, vec4<f32>(1.0));
#else
    for (var t = 0u; t < terms; t++) { sum += number_a(image.x, a + t, pixel) * number_b(image.y, b + t, k.y); }
#endif
#endif
#ifdef ACROSS
    for (var t = 0u; t < terms; t++) { sum += number_a(image.x, a + t, pixel) * number_b(image.y, b + k.y, t); }
#endif
#ifdef PIXELS
    for (var t = 0u; t < terms; t++) { sum += number_a(image.x, a + k.y, t) * number_b(image.y, b + pixel, t); }
#endif
    return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let pixel = split(at, params.y_pixels);
    let block = split(pixel.x, params.y_blocks);
    let image = vec2<u32>(split(block.x, params.a_per).x, split(block.x, params.b_per).x);
    let terms = bound(params.terms, groups);
    var y = vec4<f32>();
#ifdef ALIKE
    let k = split(4u * block.y, params.y_group);
#ifdef ACROSS
    for (var t = 0u; t < terms; t++) {
        y += number_a(image.x, k.x * params.a_group + t, pixel.y) * texel_b(image.y, block.y, t);
    }
#endif
#ifdef PIXELS
    for (var t = 0u; t < terms; t++) {
        y += texel_a(image.x, block.y, t) * number_b(image.y, k.x * params.b_group + pixel.y, t);
    }
#endif
#else
    for (var lane = 0u; lane < min(4u, params.y_channels - 4u * block.y); lane++) {
        // FXC cannot write to a component whose number it does not know, in a loop whose end it does not know.
        let value = vec4<f32>(product(image, 4u * block.y + lane, pixel.y, terms));
        y = select(y, value, vec4<u32>(lane) == vec4<u32>(0u, 1u, 2u, 3u));
    }
#endif
    store_y(at, y);
}
