// `conv.wgsl` for devices with fast shared memory: an implicit GEMM over taps, in macro tiles.
//   y[n,o, oy·step + offset] = finish( bias[o] + Σ_{ky,kx,i} w[o,i,ky,kx] · x[n, i, oy·s − p + ky·d] ), ox likewise
// x [n][group][in_blocks][h][w], y [n][y_blocks][h][w]: texels of four channels
// w [group][tile][tap][in_blocks][BLOCKS][4] (texel j: four outputs' weights for input lane j), then bias [group][tile][BLOCKS]
// tile: one workgroup makes BLOCKS blocks × SPAN pixels, DEPTH input blocks, of one tap or of several, at a time
// A w over 128 MiB is split into pieces of some tiles, each with its own dispatch.
// dispatch: piece · strips workgroups of SLICES · MEMBERS invocations, strips = ⌈n·grid / SPAN⌉
#import conv
#import macro_tile

// For the pixels that an invocation loads: where their window begins, the first block of their group and image, and
// 1 / in_blocks and 1 / columns.
struct Brought { first: vec2<u32>, block: u32, per: vec2<f32> }

// ⌊a / b⌋ and the remainder, by `per` = 1 / b. The errors of `per` and of the product add up to less than ½ / b for a < 2²⁰.
fn near_split(a: u32, per: f32, b: u32) -> vec2<u32> {
    let quotient = u32((f32(a) + 0.5) * per);
    return vec2<u32>(quotient, a - quotient * b);
}

fn bring(brought: Brought, step: u32, there: bool) -> vec4<f32> {
    let at = near_split(step, brought.per.x, params.in_blocks);
    let tap = near_split(at.x, brought.per.y, params.kernel.x).yx;
    let texel = source(brought.first, tap * params.dilation, params.in_size);
    let plane = params.in_size.x * params.in_size.y;
    return fetch_x(select(0u, texel + (brought.block + at.y) * plane, texel > 0u && there));
}

@compute @workgroup_size(WORKGROUP)
#import main_staged
    let out_plane = params.out_size.x * params.out_size.y;
    let plane = params.grid.x * params.grid.y;
    let steps = select(0u, params.kernel.x * params.kernel.y * params.in_blocks, there);
    let first = tile * steps * BLOCKS * 4u;
    let place = split(pixel, plane);
    let first_block = (place.x * params.groups + row.x) * params.in_blocks;
    let per = 1.0 / vec2<f32>(vec2<u32>(params.in_blocks, params.kernel.x));
    let brought = Brought(window(grid_pixel(place.y)), first_block, per);
#import accumulate_shared
#for p in 0..PIXELS
    let place$p = split(min(pixel$p, end - 1u), plane);
    let to$p = plane_texel(grid_pixel(place$p.y));
#endfor
    let bias = (params.piece * steps * 4u + tile) * BLOCKS + deep;
#import tile
}
