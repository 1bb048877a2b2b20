// Average pooling.
//   y[n,c,oy,ox] = 1/divisor · Σ of x[n,c, oy·s − p .. + k, ox·s − p .. + k]
// With ADAPTIVE the windows are adaptive, see `shared/pool.wgsl`.
// x [n][blocks][in_h][in_w], y [n][y_blocks][out_h][out_w]: texels, one output per invocation
// dispatch: planes · out_h · out_w invocations
struct Params {
    in_size: vec2<u32>,   // width, height
    out_size: vec2<u32>,
    kernel: vec2<u32>,
    stride: vec2<u32>,
    pad: vec2<u32>,       // before the first column and row
    pad_end: vec2<u32>,
    count_pad: u32,       // whether the padding's zeros count in an average
    planes: u32,    // n · channel blocks
    blocks: u32,
    per_image: u32, // unused
    y_blocks: u32,  // blocks of an image of y; `y_first` is the first one written
    y_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#import pool

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    let size = params.out_size;
    let row = split(at, size.x);
    let line = split(row.x, size.y);
    let plane = line.x;
    if plane >= params.planes { return; }
    let o = vec2<u32>(row.y, line.y);
    let image = split(plane, params.blocks);
    let to = ((image.x * params.y_blocks + params.y_first + image.y) * size.y + o.y) * size.x + o.x;
    let start = window_start(o);
    let end = window_end(o);
    let base = plane * params.in_size.x * params.in_size.y;
    var sum = vec4<f32>();
    for (var y = start.y; y < end.y; y++) {
        for (var x = start.x; x < end.x; x++) {
            sum += load_x(base + y * params.in_size.x + x);
        }
    }
    store_y(to, sum / divisor(o));
}
