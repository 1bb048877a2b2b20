// Max pooling: the maximum of each window.
//   y[n,c,oy,ox] = max of x[n,c, oy·s − p .. + ROWS, ox·s − p .. + KERNEL]
// x [n][blocks][in_h][in_w], y [n][y_blocks][out_h][out_w]: texels of four channels
// tile: one invocation makes PIXELS neighbouring pixels of a row. Their windows lie in COLUMNS columns:
// COLUMNS = (PIXELS − 1) · STRIDE + KERNEL
// dispatch: n · blocks · out_h · strips invocations, strips = ⌈out_w / PIXELS⌉
struct Params {
    in_size: vec2<u32>,   // width, height
    out_size: vec2<u32>,
    stride: vec2<u32>,    // the horizontal one is STRIDE
    pad: vec2<u32>,       // before the first column and row
    blocks: u32,
    planes: u32,          // n · blocks
    strips: u32,
    y_blocks: u32,        // blocks of an image of y; `y_first` is the first one written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import greatest
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let cut = split(invocation(id, groups), params.strips);
    let row = split(cut.x, params.out_size.y);
    let plane = row.x;
    if plane >= params.planes { return; }
    let o = vec2<u32>(cut.y * PIXELS, row.y);
    let first = vec2<i32>(o * params.stride) - vec2<i32>(params.pad);
    // Every window has at least one element inside x. Elements outside are replaced by the nearest one inside, which also belongs
    // to the window.
    let last = vec2<i32>(params.in_size) - 1;
#for c in 0..COLUMNS
    let column$c = u32(clamp(first.x + $c, 0, last.x));
#endfor
#for r in 0..ROWS
    let line$r = (plane * params.in_size.y + u32(clamp(first.y + $r, 0, last.y))) * params.in_size.x;
#endfor
#for c in 0..COLUMNS
    var greatest$c = load_x(line0 + column$c);
#for r in 0..ROWS
    greatest$c = greatest(greatest$c, load_x(line$r + column$c));
#endfor
#endfor
    let image = split(plane, params.blocks);
    let y_plane = image.x * params.y_blocks + params.y_first + image.y;
    let to = (y_plane * params.out_size.y + o.y) * params.out_size.x + o.x;
#for p in 0..PIXELS
    if o.x + $pu < params.out_size.x {
        var best = greatest$($p*STRIDE);
#for k in 0..KERNEL
        best = greatest(best, greatest$($p*STRIDE+$k));
#endfor
        store_y(to + $pu, best);
    }
#endfor
}
