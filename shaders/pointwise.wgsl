// 1×1 convolution with stride 1: a matrix product over channels. With transposed weights it computes its own gradient. With
// 36 groups it computes the products between Winograd's transforms.
//   y[n,o,p] = finish( bias[o] + Σ_i w[o,i] · prepare(x[n,i,p]) )
// x [n][x_blocks][plane], y [n][y_blocks][plane]: texels of four channels; in x the blocks of a group lie together
// w [group][tile][in_blocks][BLOCKS][4] (texel j: four outputs' weights for input lane j), then bias [group][tile][BLOCKS]
// tile: one invocation makes BLOCKS blocks × PIXELS pixels. The pixels lie apart, so that neighbouring invocations read
// neighbouring texels
// A w over 128 MiB is split into pieces of some tiles, each with its own dispatch.
// dispatch: piece · strips invocations, strips = ⌈n·plane / PIXELS⌉, rounded up to a multiple of SUBGROUP;
// with GATED: piece · n · strips, strips = ⌈plane / PIXELS⌉ rounded up likewise, so that a strip's pixels share their gate;
// in the order of `strip.wgsl`
#import pointwise
#import strip

@compute @workgroup_size(WORKGROUP)
#import main_tiled
    let at = invocation(id, groups);
    let out_plane = params.plane;
#ifdef GATED
    let strips = split(params.pixels, out_plane).x * params.strips;
#else
    let strips = params.strips;
#endif
    if at >= params.piece * strips { return; }
    let cut = tile_and_strip(at, strips);
    let tile = cut.x;
#ifdef GATED
    let image = split(cut.y, params.strips);
    let strip = image.y;
    let start = image.x * out_plane;
    let end = start + out_plane;
#else
    let strip = cut.y;
    let start = 0u;
    let end = params.pixels;
#endif
    let row = split(params.first + tile, params.tiles);
    let in_blocks = bound(params.in_blocks, groups);
#for p in 0..PIXELS
    let pixel$p = start + first_pixel(strip) + $pu * apart();
    let place$p = split(min(pixel$p, end - 1u), out_plane);
    let to$p = place$p.y;
    var i$p = (place$p.x * params.x_blocks + params.x_first + row.x * in_blocks) * out_plane + to$p + 1u;
#endfor
#import sums
    var q = tile * in_blocks * BLOCKS * 4u;
    for (var c = 0u; c < in_blocks; c++) {
#ifdef PROLOGUE
            let by = prologue(place0.x, c);
#endif
#for p in 0..PIXELS
#ifdef PROLOGUE
            let x$p = prepare(fetch_x(i$p), by);
#else
            let x$p = fetch_x(i$p);
#endif
            i$p += out_plane;
#endfor
#import accumulate load_w
    }
    let bias = params.piece * in_blocks * BLOCKS * 4u + tile * BLOCKS;
    let block = row.y * BLOCKS;
#import tile
}
