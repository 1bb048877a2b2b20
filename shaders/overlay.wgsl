// Draws a heat map in colour over a photo of any size.
//   y[p] = photo[p] · (1 − opacity) + colour · opacity inside the crop, photo[p] outside it, where
//   (colour, opacity) = colours[⌊255 · heat⌋],  heat = x[map](p) · (1 − zero) + zero
// x [maps][h][w]: texels, in the first channel; photo, y [height][width]: RGBA, R in the lowest byte; colours [256]
// dispatch: height · width invocations
struct Params {
    crop: vec4<f32>,      // left, top, width, height of the network's input, in photo pixels
    in_size: vec2<u32>,   // width, height of the maps
    out_size: vec2<u32>,  // of the photo
    pixels: u32,          // height · width
    map: u32,
    zero: f32,            // the colour of 0: 0 for maps in 0..1, ½ for maps in −1..1
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
@group(0) @binding(2) var<storage, read> photo: array<u32>;
@group(0) @binding(3) var<storage, read> colours: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<u32>;
#import grid
fn value(map: u32, i: u32) -> vec4<f32> { return load_x(i); }
#import bilinear

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.pixels { return; }
    let row = split(at, params.out_size.x);
    let centre = vec2<f32>(row.yx) + 0.5;
    let within = (centre - params.crop.xy) / params.crop.zw;
    var seen = unpack4x8unorm(photo[at]).rgb;
    if all(within >= vec2<f32>()) && all(within <= vec2<f32>(1.0)) {
        let heat = bilinear(params.map, params.in_size, within * vec2<f32>(params.in_size) - 0.5).x;
        let i = u32(clamp(heat * (1.0 - params.zero) + params.zero, 0.0, 1.0) * 255.0);
        seen = mix(seen, colours[i].rgb, colours[i].a);
    }
    y[at] = pack4x8unorm(vec4<f32>(seen, 1.0));
}
