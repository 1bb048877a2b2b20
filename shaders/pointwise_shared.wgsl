// `pointwise.wgsl` for devices with fast workgroup memory: the same product, of which a workgroup makes a macro tile.
//   y[n,o,p] = finish( bias[o] + Σ_i w[o,i] · x[n,i,p] )
// x [n][group][in_blocks][plane], y [n][y_blocks][plane]: texels of four channels
// w [group][tile][in_blocks][BLOCKS][4] (texel j: four outputs' weights for input lane j), then bias [group][tile][BLOCKS]
// tile: one workgroup makes BLOCKS texels deep × ACROSS · PIXELS pixels, DEPTH input blocks at a time
// A w over 128 MiB comes in pieces of some tiles, each with its own dispatch.
// dispatch: piece · strips workgroups of BLOCKS · ACROSS invocations, strips = ⌈n·plane / (ACROSS · PIXELS)⌉
#import pointwise
#import macro_tile

fn source_of(brought: u32, step: u32) -> u32 { return brought + step * params.plane; }

@compute @workgroup_size(WORKGROUP)
#import main_staged
    let out_plane = params.plane;
    let steps = select(0u, params.in_blocks, there);
    let first = tile * steps * BLOCKS * 4u;
    let place = split(pixel, out_plane);
    let brought = 1u + (place.x * params.groups + row.x) * params.in_blocks * out_plane + place.y;
#import accumulate_staged
#for p in 0..PIXELS
    let place$p = split(min(pixel$p, params.pixels - 1u), out_plane);
    let to$p = place$p.y;
#endfor
    let bias = (params.piece * steps * 4u + tile) * BLOCKS + deep;
#import tile
}
