// 1×1 convolution with stride 1: a matrix product over channels. With transposed weights it is its own gradient.
//   y[n,o,p] = f( bias[o] + Σ_i w[o,i] · x[n,i,p] )
// x [n][in_blocks][plane], y [n][out_blocks][plane]: texels of four channels
// w [tile][in_blocks][BLOCKS][4] (texel j: four outputs' weights for input lane j), then bias [tile][BLOCKS]
// tile: one invocation makes BLOCKS texels deep × PIXELS pixels, `strips` apart so that neighbours read neighbours
// A w over 128 MiB comes in pieces of some tiles, each with its own dispatch.
// dispatch: tiles · strips invocations, tiles = ⌈out_blocks / BLOCKS⌉, strips = ⌈n·plane / PIXELS⌉
struct Params {
    in_blocks: u32,
    out_blocks: u32,
    first: u32,       // first tile of this piece of w, and their number
    piece: u32,
    strips: u32,
    pixels: u32,      // n · plane
    plane: u32,       // h · w
    activation: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read w 2
#import write y 3
#import grid
#import activation

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    let strip = at % params.strips;
    let tile = at / params.strips;
    if tile >= params.piece { return; }
#for p in 0..PIXELS
    let pixel$p = min(strip + $pu * params.strips, params.pixels - 1u);
    let image$p = pixel$p / params.plane;
    let place$p = pixel$p % params.plane;
    var i$p = image$p * params.in_blocks * params.plane + place$p;
#for m in 0..BLOCKS
    var sum$m_$p = vec4<f32>();
#endfor
#endfor
    var q = tile * params.in_blocks * BLOCKS * 4u;
    for (var c = 0u; c < params.in_blocks; c++) {
#for p in 0..PIXELS
            let x$p = load_x(i$p);
            i$p += params.plane;
#endfor
#import accumulate
            q += BLOCKS * 4u;
    }
    let bias = params.piece * params.in_blocks * BLOCKS * 4u + tile * BLOCKS;
    let block = (params.first + tile) * BLOCKS;
#for m in 0..BLOCKS
    if block + $mu < params.out_blocks {
        let b = load_w(bias + $mu);
#for p in 0..PIXELS
        if strip + $pu * params.strips < params.pixels {
            store_y((image$p * params.out_blocks + block + $mu) * params.plane + place$p, activate(params.activation, sum$m_$p + b));
        }
#endfor
    }
#endfor
}
