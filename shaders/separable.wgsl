// Depthwise convolution and the 1×1 convolution after it, whose outputs fit one register tile: so what lies between is made
// once, and never stored.
//   y[n,o,oy,ox] = finish( bias[o] + Σ_c w[o,c] · z[n,c,oy,ox] )
//   z[n,c,oy,ox] = f( shift[c] + Σ_{ky,kx} before[c,ky,kx] · x[n, c, oy·s − p + ky·d] ), x alike, f of code BEFORE
// x [n][blocks][h][w], y [n][y_blocks][h][w]: texels of four channels
// before [blocks][ROWS][KERNEL], then shift [blocks]; w [blocks][BLOCKS][4], then bias [BLOCKS], as in `pointwise.wgsl`
// tile: one invocation makes BLOCKS texels deep × PIXELS neighbouring pixels of a row, whose windows lie in COLUMNS columns
// With SUBGROUP the lanes share the loads of `before` too, in FETCHES rounds.
// dispatch: n · grid height · strips invocations, strips = ⌈grid width / PIXELS⌉
struct Params {
    in_size: vec2<u32>,   // width, height
    grid: vec2<u32>,      // of the outputs
    out_size: vec2<u32>,
    kernel: vec2<u32>,    // KERNEL and ROWS
    stride: vec2<u32>,    // the horizontal one is STRIDE
    dilation: vec2<u32>,  // the horizontal one is DILATION
    pad: vec2<u32>,       // before the first column and row
    step: vec2<u32>,      // 1
    offset: vec2<u32>,    // 0
    blocks: u32,          // channel blocks of x
    out_blocks: u32,
    images: u32,
    strips: u32,
    y_blocks: u32,        // channel blocks of an image of y, and the first that is written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read_weight w 2
#import write y 3
#import read_weight before 4
#import grid
#import epilogue 5

@compute @workgroup_size(WORKGROUP)
#import main_tiled
    let cut = split(invocation(id, groups), params.strips);
    let line = split(cut.x, params.grid.y);
    let there = line.x < params.images;
    let image = min(line.x, params.images - 1u);
    let o = vec2<u32>(cut.y * PIXELS, line.y);
    let size = params.in_size;
    let first = o * params.stride - params.pad; // wraps far outside where negative
#import sums
    var q = 0u;
    let blocks = bound(params.blocks, groups);
    for (var c = 0u; c < blocks; c++) {
#ifdef SUBGROUP
#for j in 0..FETCHES
        let tap_of$j = $ju * SUBGROUP + lane;
        let taps$j = load_before(select(c * TAPS + tap_of$j, params.blocks * TAPS + c, tap_of$j >= TAPS));
#for l in 0..SUBGROUP
        let tap$($j*SUBGROUP+$l) = subgroupBroadcast(taps$j, $lu);
#endfor
#endfor
#else
#for t in 0..TAPS
        let tap$t = load_before(c * TAPS + $tu);
#endfor
        let tap$(TAPS) = load_before(params.blocks * TAPS + c);
#endif
#for p in 0..PIXELS
        var z$p = tap$(TAPS);
#endfor
#for r in 0..ROWS
        {
            let y = first.y + $ru * params.dilation.y;
            let row = ((image * params.blocks + c) * size.y + y) * size.x + first.x + 1u;
            let width = select(0u, size.x, y < size.y);
#for k in 0..COLUMNS
            let v$k = fetch_x(select(0u, row + $ku, first.x + $ku < width));
#endfor
#for k in 0..KERNEL
#for p in 0..PIXELS
            z$p += tap$($r*KERNEL+$k) * v$($p*STRIDE+$k*DILATION);
#endfor
#endfor
        }
#endfor
#for p in 0..PIXELS
        let x$p = activate(BEFORE, z$p);
#endfor
#import accumulate load_w
    }
    let bias = params.blocks * BLOCKS * 4u;
    let row = vec2<u32>();
    let block = 0u;
    let out_plane = params.out_size.x * params.out_size.y;
    let end = select(0u, params.grid.x, there);
#for p in 0..PIXELS
    let pixel$p = o.x + $pu;
    let place$p = vec2<u32>(image, 0u);
    let to$p = o.y * params.out_size.x + pixel$p;
#endfor
#import tile
}
