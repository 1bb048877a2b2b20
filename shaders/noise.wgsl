// Adds Gaussian noise to images. A number's noise depends only on the seed, the sample's index and the number's place in its image.
//   y[n,c,p] = x[n,c,p] + deviation · (greatest − least of the image) · √(−2 ln u) · cos(2π v), u and v hashed from the place
// x, y [n][blocks][plane], ranges [n]: texels, one of y per invocation
// dispatch: n · blocks · plane invocations
struct Params {
    texels: u32,
    plane: u32,       // h · w
    blocks: u32,
    key: u32,         // a hash of seed and index
    deviation: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read ranges 2
#import write y 3
#import grid
#import hash

// cos(2π v) as sin(x) for x in −π/2..π/2, by its series: off by 6e-8. Drivers may be off by 2⁻¹¹.
fn cosine(v: f32) -> f32 {
    let x = 6.2831853 * (abs(v - 0.5) - 0.25);
    let s = x * x;
    return x * (1.0 - s / 6.0 * (1.0 - s / 20.0 * (1.0 - s / 42.0 * (1.0 - s / 72.0 * (1.0 - s / 110.0)))));
}

fn gauss(place: u32) -> f32 {
    let first = hash(place ^ params.key);
    let u = f32((first >> 8u) + 1u) / 16777216.0;
    let v = f32(hash(first) >> 8u) / 16777216.0;
    return sqrt(-2.0 * log(u)) * cosine(v);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let pixel = split(at, params.plane);
    let image = split(pixel.x, params.blocks);
    let range = load_ranges(image.x);
    // In row-major order, whatever the layout in memory, and the same for each image of a batch.
    let first = image.y * 4u * params.plane + pixel.y;
    var noise = vec4<f32>();
    #for i in 0..4
    noise[$i] = gauss(first + $iu * params.plane);
    #endfor
    store_y(at, load_x(at) + noise * (params.deviation * (range.y - range.x)));
}
