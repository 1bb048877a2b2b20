// Dense and grouped convolution, implicit GEMM by taps.
//   forward   y[n,o,oy,ox] = f( bias[o] + Σ_{ky,kx,i} w[o,i,ky,kx] · x[n, i, oy·s − p + ky·d, ox·s − p + kx·d] )
//   GRADIENT  y[n,i,iy,ix] =             Σ_{ky,kx,o} w[o,i,ky,kx] · x[n, o, (iy + p − ky·d)/s, (ix + p − kx·d)/s],
//             over the taps for which the division leaves no rest
// x [n][group][in_blocks][h][w], y [n][group][out_blocks][h][w]: texels of four channels
// w [group][tile][tap][in_blocks][BLOCKS][4] (texel j: four outputs' weights for input lane j), then bias [group][tile][BLOCKS]
// tile: one invocation makes BLOCKS texels deep × PIXELS pixels, `strips` apart so that neighbours read neighbours
// A w over 128 MiB comes in pieces of some tiles, each with its own dispatch.
// dispatch: groups · tiles · strips invocations, tiles = ⌈out_blocks / BLOCKS⌉, strips = ⌈n·h·w / PIXELS⌉
struct Params {
    in_size: vec2<u32>,   // width, height
    out_size: vec2<u32>,
    kernel: vec2<u32>,
    stride: vec2<u32>,
    dilation: vec2<u32>,
    pad: vec2<u32>,       // before the first column and row
    in_blocks: u32,       // channel blocks of one group
    out_blocks: u32,
    groups: u32,
    tiles: u32,
    strips: u32,
    pixels: u32,          // n · h · w of y
    activation: u32,
    first: u32,           // first tile of this piece of w, and their number
    piece: u32,
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
    let tile = at / params.strips;
    if tile >= params.piece { return; }
    let group = (params.first + tile) / params.tiles;
    let in_plane = params.in_size.x * params.in_size.y;
    let out_plane = params.out_size.x * params.out_size.y;
    let taps = params.kernel.x * params.kernel.y;
#for p in 0..PIXELS
    let pixel$p = min(strip + $pu * params.strips, params.pixels - 1u);
    let image$p = pixel$p / out_plane * params.groups + group;
    let place$p = pixel$p % out_plane;
    let o$p = vec2<u32>(place$p % params.out_size.x, place$p / params.out_size.x);
#for m in 0..BLOCKS
    var sum$m_$p = vec4<f32>();
#endfor
#endfor
    var q = tile * taps * params.in_blocks * BLOCKS * 4u;
    for (var ky = 0u; ky < params.kernel.y; ky++) {
        for (var kx = 0u; kx < params.kernel.x; kx++) {
#for p in 0..PIXELS
            let tap$p = source(o$p, vec2<u32>(kx, ky));
            var i$p = select(0u, tap$p + image$p * params.in_blocks * in_plane, tap$p > 0u);
            let step$p = select(0u, in_plane, tap$p > 0u);
#endfor
            for (var c = 0u; c < params.in_blocks; c++) {
#for p in 0..PIXELS
            let x$p = fetch_x(i$p);
            i$p += step$p;
#endfor
#import accumulate
            q += BLOCKS * 4u;
            }
        }
    }
    let bias = params.piece * taps * params.in_blocks * BLOCKS * 4u + tile * BLOCKS;
    let block = (params.first + tile) % params.tiles * BLOCKS;
#for m in 0..BLOCKS
    if block + $mu < params.out_blocks {
        let b = load_w(bias + $mu);
#for p in 0..PIXELS
        if strip + $pu * params.strips < params.pixels {
            store_y((image$p * params.out_blocks + block + $mu) * out_plane + place$p, activate(params.activation, sum$m_$p + b));
        }
#endfor
    }
#endfor
}
