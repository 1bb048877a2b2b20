// Dense and grouped convolution, as an implicit GEMM over taps. Also its gradient, one phase at a time.
//   y[n,o, oy·step + offset] = finish( bias[o] + Σ_{ky,kx,i} w[o,i,ky,kx] · x[n, i, oy·s − p + ky·d] ), ox likewise
// The gradient of a convolution with stride s is s² convolutions with stride 1. Each has some of the taps, in reverse order, and
// makes every s-th row and column of the result. Its padding may be negative.
// x [n][group][in_blocks][h][w], y [n][y_blocks][h][w]: texels of four channels
// w [group][tile][tap][in_blocks][BLOCKS][4] (texel j: four outputs' weights for input lane j), then bias [group][tile][BLOCKS]
// tile: one invocation makes BLOCKS blocks × PIXELS pixels. The pixels lie apart, so that neighbouring invocations read
// neighbouring texels
// SINGLE: in_blocks is 1, as in a network's first layer, so there is no loop over input blocks
// A w over 128 MiB is split into pieces of some tiles, each with its own dispatch.
// dispatch: piece · strips invocations, strips = ⌈n·grid / PIXELS⌉, rounded up to a multiple of SUBGROUP;
// in the order of `strip.wgsl`
#import conv
#import strip

@compute @workgroup_size(WORKGROUP)
#import main_tiled
    let at = invocation(id, groups);
    if at >= params.piece * params.strips { return; }
    let cut = tile_and_strip(at, params.strips);
    let tile = cut.x;
    let row = split(params.first + tile, params.tiles);
    // Parameters are read before the loop. Inside it, lavapipe would gather them lane by lane in each round.
    let size = params.in_size;
    let columns = params.kernel.x;
    let dilation = params.dilation;
    let in_plane = size.x * size.y;
    let out_plane = params.out_size.x * params.out_size.y;
    let plane = params.grid.x * params.grid.y;
    let taps = bound(params.kernel.x * params.kernel.y, groups);
    let in_blocks = bound(params.in_blocks, groups);
    let end = params.pixels;
#for p in 0..PIXELS
    let pixel$p = first_pixel(cut.y) + $pu * apart();
    let place$p = split(min(pixel$p, end - 1u), plane);
    let planes$p = (place$p.x * params.groups + row.x) * in_blocks * in_plane;
    let o$p = grid_pixel(place$p.y);
    let first$p = window(o$p);
    let to$p = plane_texel(o$p);
#endfor
#import sums
    var q = tile * taps * in_blocks * BLOCKS * 4u;
    for (var tap = 0u; tap < taps; tap++) {
        let reach = split(tap, columns).yx * dilation;
#for p in 0..PIXELS
        let from$p = source(first$p, reach, size);
        var i$p = select(0u, from$p + planes$p, from$p > 0u);
        let step$p = select(0u, in_plane, from$p > 0u);
#endfor
#ifdef SINGLE
        {
#else
        for (var c = 0u; c < in_blocks; c++) {
#endif
#for p in 0..PIXELS
            let x$p = fetch_x(i$p);
            i$p += step$p;
#endfor
#import accumulate load_w
        }
    }
    let bias = params.piece * taps * in_blocks * BLOCKS * 4u + tile * BLOCKS;
    let block = row.y * BLOCKS;
#import tile
}
