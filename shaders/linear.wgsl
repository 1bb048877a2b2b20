// Fully connected layer: one matrix-vector product per image.
//   y[n,o] = f( bias[o] + Σ_i w[o,i] · x[n,i] ), f the activation of code ACTIVATION
// x [n][inputs], y [n][outputs]: texels of four features, in the order in which the feature map is stored
// w [row][inputs][4][OUTPUTS] (texel j: four outputs' weights for input lane j), then bias [row][OUTPUTS]; a row makes
// OUTPUTS texels of y, side by side so that neighbouring invocations read neighbouring texels
// A w over 128 MiB is split into pieces of some rows, each with its own dispatch.
// tile: LANES invocations share one texel of y for IMAGES images, OUTPUTS such texels share a workgroup
// dispatch: ⌈n / IMAGES⌉ · rows workgroups
struct Params {
    inputs: u32,    // texels of an image
    rows: u32,      // of this piece of w
    images: u32,
    first: u32,     // first row of this piece
    outputs: u32,   // texels of an image
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read_weight w 2
#import write y 3
#import grid
#import lanes
#import activation

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let local = vec2<u32>(index % LANES, index / LANES);
    let cut = split(group_index(id, groups), params.rows);
    let row = cut.y;
    let first = cut.x * IMAGES;
#for i in 0..IMAGES
    let image$i = min(first + $iu, params.images - 1u);
    var sum$i = vec4<f32>();
#endfor
    let inputs = bound(params.inputs, groups);
    if first < params.images {
        for (var c = local.x; c < inputs; c += LANES) {
            let q = (row * params.inputs + c) * 4u * OUTPUTS + local.y;
            let a = mat4x4(load_w(q), load_w(q + OUTPUTS), load_w(q + 2u * OUTPUTS), load_w(q + 3u * OUTPUTS));
#for i in 0..IMAGES
            sum$i += a * load_x(image$i * params.inputs + c);
#endfor
        }
    }
    let output = (params.first + row) * OUTPUTS + local.y;
#for i in 0..IMAGES
    sum$i = sum_lanes(sum$i, local.x, local.y);
    if first + $iu < params.images && local.x == 0u && output < params.outputs {
        let value = sum$i + load_w((params.rows * params.inputs * 4u + row) * OUTPUTS + local.y);
        store_y((first + $iu) * params.outputs + output, activate(ACTIVATION, value));
    }
#endfor
}
