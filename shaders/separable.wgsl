// Depthwise convolution and the 1×1 convolution after it, whose outputs fit one register tile. So the value z between them is
// computed once and never stored. With EXPANDED the kernel computes a whole inverted residual block.
//   y[n,o,oy,ox] = finish( bias[o] + Σ_c w[o,c] · z[n,c,oy,ox] )
//   z[n,c,oy,ox] = f( shift[c] + Σ_{ky,kx} before[c,ky,kx] · u[n, c, oy·s − p + ky·d] ), ox likewise, f of code BEFORE
//   u is x. With EXPANDED it is a 1×1 convolution of STEPS blocks of x, computed anew in each window:
//   u[n,c,iy,ix] = g( lift[c] + Σ_i expand[c,i] · x[n,i,iy,ix] ), g of code INNER
// x [n][blocks or STEPS][h][w], y [n][y_blocks][h][w]: texels of four channels
// expand [blocks][STEPS][4], then lift [blocks], as in `pointwise.wgsl`
// before [blocks][ROWS][KERNEL], then shift [blocks]; w [blocks][BLOCKS][4], then bias [BLOCKS], as in `pointwise.wgsl`
// tile: one invocation makes BLOCKS blocks × PIXELS neighbouring pixels of a row. Their windows lie in COLUMNS columns.
// With SUBGROUP the lanes also share the loads of `before`, in FETCHES rounds, and of the WEIGHTS = 4 · STEPS texels of
// `expand`, in EXPAND_FETCHES rounds.
// dispatch: n · grid height · strips invocations, strips = ⌈grid width / PIXELS⌉
struct Params {
#import geometry
    blocks: u32,          // of u and z
    out_blocks: u32,
    images: u32,
    strips: u32,
    y_blocks: u32,        // blocks of an image of y; `y_first` is the first one written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read_weight w 2
#import write y 3
#import read_weight before 4
#ifdef EXPANDED
#import read_weight expand 5
#import epilogue 6
#else
#import epilogue 5
#endif
#import grid

@compute @workgroup_size(WORKGROUP)
#import main_tiled
    let cut = split(invocation(id, groups), params.strips);
    let line = split(cut.x, params.grid.y);
    let there = line.x < params.images;
    let image = min(line.x, params.images - 1u);
    let o = vec2<u32>(cut.y * PIXELS, line.y);
    let size = params.in_size;
    let first = o * params.stride - params.pad; // a negative start wraps far outside x
#for r in 0..ROWS
    let line$r = first.y + $ru * params.dilation.y;
    let width$r = select(0u, size.x, line$r < size.y);
#endfor
#ifdef EXPANDED
#import expanded_patch
#endif
#import sums
    var q = 0u;
    let blocks = bound(params.blocks, groups);
    for (var c = 0u; c < blocks; c++) {
#import spread_taps tap before TAPS FETCHES
#ifdef EXPANDED
#import spread_taps e expand WEIGHTS EXPAND_FETCHES
#endif
#for p in 0..PIXELS
        var z$p = tap$(TAPS);
#endfor
#for r in 0..ROWS
        {
#ifdef EXPANDED
#import expanded_row $r
#else
#import stored_row $r
#endif
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
    let block = groups.z - 1u; // 0, but the driver does not know that, see `bound`
    let out_plane = params.out_size.x * params.out_size.y;
    let end = select(0u, params.grid.x, there);
#for p in 0..PIXELS
    let pixel$p = o.x + $pu;
    let place$p = vec2<u32>(image, 0u);
    let to$p = o.y * params.out_size.x + pixel$p;
#endfor
#import tile
}
