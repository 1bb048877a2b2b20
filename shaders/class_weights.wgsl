// The rows of a classifier that belong to the explained classes. Each is the classifier's gradient for a single logit.
//   y[n,j,i] = scale · w[class of record j of image n, i]
// records [n][requests], class first; y [n][maps][inputs]: texels; w as in `linear.wgsl`
// dispatch: n · maps · inputs invocations, one texel of y each
struct Params {
    texels: u32,
    inputs: u32,
    requests: u32,
    maps: u32,
    scale: f32,
    first: u32,     // first row of this piece of w; `rows` is their number
    rows: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read records 1
#import read_weight w 2
#import write y 3
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let map = split(at, params.inputs);
    let record = split(map.x, params.maps);
    let class_id = u32(load_records(record.x * params.requests + record.y).x);
    let block = class_id / 4u;
    // Each piece of w has a dispatch, which writes the maps of the classes in that piece only.
    let row = block / OUTPUTS - params.first;
    if row >= params.rows { return; }
    let q = (row * params.inputs + map.y) * 4u * OUTPUTS + block % OUTPUTS;
    let lane = class_id % 4u;
    let four = vec4<f32>(load_w(q)[lane], load_w(q + OUTPUTS)[lane], load_w(q + 2u * OUTPUTS)[lane], load_w(q + 3u * OUTPUTS)[lane]);
    store_y(at, params.scale * four);
}
