// Gradient of a fully connected layer, over the forward pass's own weights.
//   y[m,i] = Σ_o w[o,i] · dy[m,o]  (+ earlier[m,i], the sum over the pieces of w before this one: ADD)
// dy [m][outputs], y and earlier [m][inputs]: texels of four features; w as in `linear.wgsl`
// tile: one invocation makes one texel of y for IMAGES maps
// dispatch: ⌈m / IMAGES⌉ · inputs invocations
struct Params {
    inputs: u32,    // texels of a map of y
    rows: u32,      // of this piece of w
    maps: u32,
    first: u32,     // first row of this piece
    outputs: u32,   // texels of a map of dy
}
@group(0) @binding(0) var<uniform> params: Params;
#import read dy 1
#import read_weight w 2
#import write y 3
#ifdef ADD
#import read earlier 4
#endif
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let cut = split(invocation(id, groups), params.inputs);
    let c = cut.y;
    let first = cut.x * IMAGES;
    if first >= params.maps { return; }
#for i in 0..IMAGES
    let map$i = min(first + $iu, params.maps - 1u);
    var sum$i = vec4<f32>();
#endfor
    for (var row = 0u; row < params.rows; row++) {
        let q = (row * params.inputs + c) * 4u * OUTPUTS;
        let output = (params.first + row) * OUTPUTS;
#for o in 0..OUTPUTS
        {
            let a = mat4x4(load_w(q + $ou), load_w(q + OUTPUTS + $ou), load_w(q + 2u * OUTPUTS + $ou), load_w(q + 3u * OUTPUTS + $ou));
            // The last row may have more texels than dy: its weights are 0 there.
            let o = min(output + $ou, params.outputs - 1u);
#for i in 0..IMAGES
            sum$i += load_dy(map$i * params.outputs + o) * a;
#endfor
        }
#endfor
    }
#for i in 0..IMAGES
    if first + $iu < params.maps {
        let to = (first + $iu) * params.inputs + c;
#ifdef ADD
        sum$i += load_earlier(to);
#endif
        store_y(to, sum$i);
    }
#endfor
}
