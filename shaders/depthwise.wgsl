// Depthwise convolution: one kernel a channel.
//   forward   y[n,c,oy,ox] = f( bias[c] + Σ_{ky,kx} w[c,ky,kx] · x[n, c, oy·s − p + ky·d, ox·s − p + kx·d] )
//   GRADIENT  y[n,c,iy,ix] =             Σ_{ky,kx} w[c,ky,kx] · x[n, c, (iy + p − ky·d)/s, (ix + p − kx·d)/s],
//             over the taps for which the division leaves no rest
// x, y [n][blocks][h][w]: texels of four channels; w [blocks][tap], then bias [blocks]
// tile: one invocation makes PIXELS pixels of one channel block, `strips` apart so that neighbours read neighbours
// dispatch: n · blocks · strips invocations, strips = ⌈h·w / PIXELS⌉
struct Params {
    in_size: vec2<u32>,   // width, height
    out_size: vec2<u32>,
    kernel: vec2<u32>,
    stride: vec2<u32>,
    dilation: vec2<u32>,
    pad: vec2<u32>,       // before the first column and row
    blocks: u32,
    planes: u32,          // n · blocks
    strips: u32,
    activation: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read w 2
#import write y 3
#import grid
#import activation
#import source

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    let strip = at % params.strips;
    let plane = at / params.strips;
    if plane >= params.planes { return; }
    let in_plane = params.in_size.x * params.in_size.y;
    let out_plane = params.out_size.x * params.out_size.y;
    let taps = params.kernel.x * params.kernel.y;
    let block = plane % params.blocks;
    var q = block * taps;
    let bias = load_w(params.blocks * taps + block);
#for p in 0..PIXELS
    let place$p = min(strip + $pu * params.strips, out_plane - 1u);
    let o$p = vec2<u32>(place$p % params.out_size.x, place$p / params.out_size.x);
    var sum$p = bias;
#endfor
    for (var ky = 0u; ky < params.kernel.y; ky++) {
        for (var kx = 0u; kx < params.kernel.x; kx++) {
            let weight = load_w(q);
            q++;
#for p in 0..PIXELS
            let tap$p = source(o$p, vec2<u32>(kx, ky));
            sum$p += weight * fetch_x(select(0u, tap$p + plane * in_plane, tap$p > 0u));
#endfor
        }
    }
#for p in 0..PIXELS
    if strip + $pu * params.strips < out_plane {
        store_y(plane * out_plane + place$p, activate(params.activation, sum$p));
    }
#endfor
}
