// Fully connected layer, a matrix-vector product an image. With transposed weights it is its own gradient.
//   y[n,o] = f( bias[o] + Σ_i w[o,i] · x[n,i] ), f the activation of code ACTIVATION
// x [n][inputs], y [n][total]: texels of four features, in the order in which the feature map is stored
// w [outputs][inputs][4] (texel j: four outputs' weights for input lane j), then bias [outputs]
// A w over 128 MiB comes in pieces of some outputs, each with its own dispatch.
// tile: LANES invocations share one texel of y for IMAGES images, OUTPUTS such texels share a workgroup
// dispatch: ⌈⌈n / IMAGES⌉ · outputs / OUTPUTS⌉ workgroups
struct Params {
    inputs: u32,    // texels
    outputs: u32,
    images: u32,
    first: u32,     // first row of this piece of w
    total: u32,     // rows of all pieces, texels of y
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read_weight w 2
#import write y 3
#import grid
#import lanes
#import activation

@compute @workgroup_size(LANES, OUTPUTS)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = group_index(id, groups) * OUTPUTS + local.y;
    let cut = split(at, params.outputs);
    let output = cut.y;
    let first = cut.x * IMAGES;
#for i in 0..IMAGES
    let image$i = min(first + $iu, params.images - 1u);
    var sum$i = vec4<f32>();
#endfor
    if first < params.images {
        for (var c = local.x; c < params.inputs; c += LANES) {
            let q = (output * params.inputs + c) * 4u;
            let a = mat4x4<f32>(load_w(q), load_w(q + 1u), load_w(q + 2u), load_w(q + 3u));
#for i in 0..IMAGES
            sum$i += a * load_x(image$i * params.inputs + c);
#endfor
        }
    }
#for i in 0..IMAGES
    sum$i = sum_lanes(sum$i, local.x, local.y);
    if first + $iu < params.images && local.x == 0u {
        let value = sum$i + load_w(params.outputs * params.inputs * 4u + output);
        store_y((first + $iu) * params.total + params.first + output, activate(ACTIVATION, value));
    }
#endfor
}
