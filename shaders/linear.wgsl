// Fully connected layer, a matrix-vector product an image. With transposed weights it is its own gradient.
//   y[n,o] = bias[o] + Σ_i w[o,i] · x[n,i]
// x [n][inputs], y [n][outputs]: texels of four features, in the order in which the feature map is stored
// w [outputs][inputs][4] (texel j: four outputs' weights for input lane j), then bias [outputs]
// tile: LANES invocations share one texel of y, OUTPUTS texels share a workgroup
// dispatch: ⌈n·outputs / OUTPUTS⌉ workgroups
struct Params {
    inputs: u32,    // texels
    outputs: u32,
    images: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read w 2
#import write y 3
#import grid
#import lanes

@compute @workgroup_size(LANES, OUTPUTS)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = group_index(id, groups) * OUTPUTS + local.y;
    let exists = at < params.images * params.outputs;
    let image = at / params.outputs;
    let output = at % params.outputs;
    var sum = vec4<f32>();
    if exists {
        for (var i = local.x; i < params.inputs; i += LANES) {
            let q = (output * params.inputs + i) * 4u;
            sum += mat4x4<f32>(load_w(q), load_w(q + 1u), load_w(q + 2u), load_w(q + 3u)) * load_x(image * params.inputs + i);
        }
    }
    sum = sum_lanes(sum, local.x, local.y);
    if exists && local.x == 0u {
        store_y(at, sum + load_w(params.outputs * params.inputs * 4u + output));
    }
}
