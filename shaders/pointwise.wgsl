// 1×1 convolution with stride 1: a matrix product over channels. With transposed weights it is its own gradient, and
// with 36 groups the product between Winograd's transforms.
//   y[n,o,p] = finish( bias[o] + Σ_i w[o,i] · x[n,i,p] )
// x [n][group][in_blocks][plane], y [n][y_blocks][plane]: texels of four channels
// w [group][tile][in_blocks][BLOCKS][4] (texel j: four outputs' weights for input lane j), then bias [group][tile][BLOCKS]
// tile: one invocation makes BLOCKS texels deep × PIXELS pixels, apart so that neighbours read neighbours
// A w over 128 MiB comes in pieces of some tiles, each with its own dispatch.
// dispatch: piece · strips invocations, strips = ⌈n·plane / PIXELS⌉, up to a multiple of SUBGROUP
#import pointwise
#import strip

@compute @workgroup_size(WORKGROUP)
#import main_tiled
    let at = invocation(id, groups);
    let cut = split(at, params.strips);
    let tile = cut.x;
    if tile >= params.piece { return; }
    let row = split(params.first + tile, params.tiles);
    let out_plane = params.plane;
    let in_blocks = params.in_blocks;
#for p in 0..PIXELS
    let pixel$p = first_pixel(cut.y) + $pu * apart();
    let place$p = split(min(pixel$p, params.pixels - 1u), out_plane);
    let image$p = place$p.x * params.groups + row.x;
    let to$p = place$p.y;
    var i$p = image$p * in_blocks * out_plane + to$p + 1u;
#endfor
#import sums
    var q = tile * in_blocks * BLOCKS * 4u;
    for (var c = 0u; c < in_blocks; c++) {
#for p in 0..PIXELS
            let x$p = fetch_x(i$p);
            i$p += out_plane;
#endfor
#import accumulate load_w
    }
    let bias = params.piece * in_blocks * BLOCKS * 4u + tile * BLOCKS;
    let block = row.y * BLOCKS;
#import tile
}
