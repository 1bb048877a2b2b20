// `pointwise.wgsl` for devices with fast shared memory: the same product, in macro tiles.
//   y[n,o,p] = finish( bias[o] + Σ_i w[o,i] · prepare(x[n,i,p]) )
// x [n][x_blocks][plane], y [n][y_blocks][plane]: texels of four channels; in x the blocks of a group lie together
// w [group][tile][in_blocks][BLOCKS][4] (texel j: four outputs' weights for input lane j), then bias [group][tile][BLOCKS]
// tile: one workgroup makes BLOCKS blocks × SPAN pixels, DEPTH input blocks at a time
// A w over 128 MiB is split into pieces of some tiles, each with its own dispatch.
// dispatch: piece · strips workgroups of SLICES · MEMBERS invocations, strips = ⌈n·plane / SPAN⌉
#import pointwise
#import macro_tile

struct Brought { texel: u32, image: u32 }

fn bring(brought: Brought, step: u32, there: bool) -> vec4<f32> {
    let x = fetch_x(select(0u, brought.texel + step * params.plane, there));
#ifdef PROLOGUE
    return prepare(x, prologue(brought.image, min(step, params.in_blocks - 1u)));
#else
    return x;
#endif
}

@compute @workgroup_size(WORKGROUP)
#import main_staged
    let out_plane = params.plane;
    let steps = select(0u, params.in_blocks, there);
    let first = tile * steps * BLOCKS * 4u;
    let place = split(pixel, out_plane);
    let first_block = place.x * params.x_blocks + params.x_first + row.x * params.in_blocks;
    let brought = Brought(1u + first_block * out_plane + place.y, place.x);
#import accumulate_shared
#for p in 0..PIXELS
    let place$p = split(min(pixel$p, end - 1u), out_plane);
    let to$p = place$p.y;
#endfor
    let bias = (params.piece * steps * 4u + tile) * BLOCKS + deep;
#import tile
}
