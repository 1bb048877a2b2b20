// 1×1 convolution with stride 1: a matrix product over channels. With transposed weights it is its own gradient, and
// with 36 groups the product between Winograd's transforms.
//   y[n,o,p] = finish( bias[o] + Σ_i w[o,i] · x[n,i,p] )
// x [n][group][in_blocks][plane], y [n][y_blocks][plane]: texels of four channels
// w [group][tile][in_blocks][BLOCKS][4] (texel j: four outputs' weights for input lane j), then bias [group][tile][BLOCKS]
// tile: one invocation makes BLOCKS texels deep × PIXELS pixels, apart so that neighbours read neighbours
// A w over 128 MiB comes in pieces of some tiles, each with its own dispatch.
// dispatch: piece · strips invocations, strips = ⌈n·plane / PIXELS⌉, up to a multiple of SUBGROUP
struct Params {
    in_blocks: u32,   // channel blocks of one group
    out_blocks: u32,
    groups: u32,
    tiles: u32,       // of one group
    strips: u32,
    pixels: u32,      // n · plane
    plane: u32,       // h · w
    first: u32,       // first tile of this piece of w, and their number
    piece: u32,
    y_blocks: u32,    // channel blocks of an image of y, and the first that is written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read_weight w 2
#import write y 3
#import grid
#import epilogue 4
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
#import accumulate
    }
    let bias = params.piece * in_blocks * BLOCKS * 4u + tile * BLOCKS;
    let block = row.y * BLOCKS;
#import tile
}
