// Convolution of one block of channels, as of photos, and the 3×3 max pool with stride 2 after it. The value z between them is
// never stored.
//   y[n,o,py,px] = finish( bias[o] + max of z[n,o, 2·py − pool_pad .. + 3, 2·px − pool_pad .. + 3] ), finish never decreases
//   z[n,o,oy,ox] = Σ_{ky,kx,i} w[o,i,ky,kx] · x[n, i, oy·s − p + ky·d], ox likewise
// x [n][h][w], y [n][y_blocks][h][w]: texels of four channels
// w [tile][tap][BLOCKS][4], then bias [tile][BLOCKS], as in `conv.wgsl`
// tile: one invocation makes BLOCKS blocks × WINDOWS neighbouring pixels of RUN rows of y, from the top down. So the row of z
// that two windows share is computed once. The windows lie in PIXELS = 2 · WINDOWS + 1 columns of z, and
// in COLUMNS = (PIXELS − 1) · STRIDE + (KERNEL − 1) · DILATION + 1 columns of x.
// dispatch: tiles · strips invocations, strips = n · runs · across, rounded up to a multiple of SUBGROUP;
// runs = ⌈height / RUN⌉, across = ⌈width / WINDOWS⌉
struct Params {
#import geometry
    pool_pad: vec2<u32>,  // padding of the pool; grid is the extent of z, out_size that of y
    out_blocks: u32,
    tiles: u32,
    images: u32,
    runs: u32,
    across: u32,
    strips: u32,
    y_blocks: u32,        // blocks of an image of y; `y_first` is the first one written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read_weight w 2
#import write y 3
#import epilogue 4
#import greatest
#import grid
const LOWEST = vec4<f32>(-0x1.fffffep127);

@compute @workgroup_size(WORKGROUP)
#import main_tiled
    let cut = split(invocation(id, groups), params.strips);
    let tile = cut.x;
    if tile >= params.tiles { return; }
    let strip = split(cut.y, params.across);
    let run = split(strip.x, params.runs);
    let image = min(run.x, params.images - 1u);
    let size = params.in_size;
    let left = strip.y * WINDOWS;
    // Negative values wrap far outside.
    let column = 2u * left - params.pool_pad.x;
    let first = column * STRIDE - params.pad.x;
    // The maximum so far of each window of the next row.
#for l in 0..LOADS
#for g in 0..QUADS
#for p in 0..WINDOWS
    var best$l$g_$p = LOWEST;
#endfor
#endfor
#endfor
    let block = tile * BLOCKS;
    let weights = KERNEL * params.kernel.y * BLOCKS * 4u; // weight texels of a tile
    let bias = params.tiles * weights + block;
    let out_plane = params.out_size.x * params.out_size.y;
    let runs = bound(RUN, groups);
    let pair = bound(2u, groups);
    let rows = bound(params.kernel.y, groups);
    // Further parameters are read before the loops. Inside them, lavapipe would gather them lane by lane in each round.
    let last = i32(params.grid.y) - 1;
    let stride = params.stride.y;
    let dilation = params.dilation.y;
    let pad = params.pad.y;
    let pool_pad = params.pool_pad.y;
    // Each round makes the last two rows of z in the windows of row `above` of y. An additional first round makes only the row
    // that it shares with the next round.
    for (var r = 0u; r <= runs; r++) {
        let above = run.y * RUN + r - 1u; // wraps
        // The maximum of each window over the row of z that it shares with the window below.
#for l in 0..LOADS
#for g in 0..QUADS
#for p in 0..WINDOWS
        var shared$l$g_$p = LOWEST;
#endfor
#endfor
#endfor
        for (var i = select(1u, 0u, r > 0u); i < pair; i++) {
            // Every window has at least one row inside z. Rows outside are replaced by the nearest row inside.
            let line = u32(clamp(i32(2u * above + 1u + i - pool_pad), 0, last));
            var q = tile * weights;
#import sums
            for (var k = 0u; k < rows; k++) {
                let y = line * stride + k * dilation - pad;
                let width = select(0u, size.x, y < size.y);
                let row = (image * size.y + y) * size.x + first + 1u;
#for c in 0..COLUMNS
                let v$c = fetch_x(select(0u, row + $cu, first + $cu < width));
#endfor
#for t in 0..KERNEL
                {
#for p in 0..PIXELS
                    let x$p = v$($p*STRIDE+$t*DILATION);
#endfor
#import accumulate load_w
                }
#endfor
            }
#for l in 0..LOADS
#for g in 0..QUADS
#for p in 0..PIXELS
            let z$l$g_$p = select(LOWEST, sum$l$g_$p, column + $pu < params.grid.x);
#endfor
#for p in 0..WINDOWS
            shared$l$g_$p = greatest(greatest(z$l$g_$($p*2), z$l$g_$($p*2+1)), z$l$g_$($p*2+2));
            best$l$g_$p = greatest(best$l$g_$p, shared$l$g_$p);
#endfor
#endfor
#endfor
        }
        let there = r > 0u && above < params.out_size.y && run.x < params.images;
#for l in 0..LOADS
#for g in 0..QUADS
        if there && block + $($l*QUADS+$g)u < params.out_blocks {
            let b = load_w(bias + $($l*QUADS+$g)u);
            let plane = (image * params.y_blocks + params.y_first + block + $($l*QUADS+$g)u) * out_plane;
#for p in 0..WINDOWS
            if left + $pu < params.out_size.x {
                let to = plane + above * params.out_size.x + left + $pu;
                store_y(to, finish(to, best$l$g_$p + b));
            }
#endfor
        }
#for p in 0..WINDOWS
        best$l$g_$p = shared$l$g_$p;
#endfor
#endfor
#endfor
    }
}
