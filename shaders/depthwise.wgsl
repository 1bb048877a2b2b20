// Depthwise convolution, with one kernel per channel. Also its gradient, one phase at a time, as in `conv.wgsl`.
//   y[n,c, oy·step + offset] = finish( bias[c] + Σ_{ky,kx} w[c,ky,kx] · x[n, c, oy·s − p + ky·d] ), ox likewise
// x [n][blocks][h][w], y [n][y_blocks][h][w]: texels of four channels; w [blocks][ROWS][KERNEL], then bias [blocks]
// tile: one invocation makes PIXELS neighbouring pixels of a row. Their windows lie in COLUMNS columns:
// COLUMNS = (PIXELS − 1) · STRIDE + (KERNEL − 1) · DILATION + 1
// dispatch: n · blocks · grid height · strips invocations, strips = ⌈grid width / PIXELS⌉
struct Params {
#import geometry
    blocks: u32,
    planes: u32,          // n · blocks
    strips: u32,
    y_blocks: u32,        // blocks of an image of y; `y_first` is the first one written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read_weight w 2
#import write y 3
#import grid
#import epilogue 4

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    let cut = split(at, params.strips);
    let row = split(cut.x, params.grid.y);
    let plane = row.x;
    if plane >= params.planes { return; }
    let o = vec2<u32>(cut.y * PIXELS, row.y);
    let image = split(plane, params.blocks);
    let block = image.y;
    let taps = params.kernel.x * params.kernel.y;
    let size = params.in_size;
    let first = o * params.stride - params.pad; // a negative start wraps far outside x
    let bias = load_w(params.blocks * taps + block);
#for p in 0..PIXELS
    var sum$p = bias;
#endfor
    let q = block * taps;
#for r in 0..ROWS
    {
        let y = first.y + $ru * params.dilation.y;
        let line = (plane * size.y + y) * size.x + first.x + 1u;
        let width = select(0u, size.x, y < size.y);
#for c in 0..COLUMNS
        let x$c = fetch_x(select(0u, line + $cu, first.x + $cu < width));
#endfor
#for k in 0..KERNEL
        let w$k = load_w(q + $($r*KERNEL+$k)u);
#for p in 0..PIXELS
        sum$p += w$k * x$($p*STRIDE+$k*DILATION);
#endfor
#endfor
    }
#endfor
    let step = params.step.x;
    let y_plane = image.x * params.y_blocks + params.y_first + block;
    let line = (y_plane * params.out_size.y + o.y * params.step.y + params.offset.y) * params.out_size.x + params.offset.x;
#for p in 0..PIXELS
    if o.x + $pu < params.grid.x {
        let to = line + (o.x + $pu) * step;
        store_y(to, finish(to, sum$p));
    }
#endfor
}
