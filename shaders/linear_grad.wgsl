// Gradient of a fully connected layer. It reads the packed weights of the forward pass.
//   y[m,i] = Σ_o w[o,i] · dy[m,o]  (with ADD: + earlier[m,i], the sum over the pieces of w before this one)
// dy [m][outputs], y and earlier [m][inputs]: texels of four features; w as in `linear.wgsl`, LANES texels of dy per row
// tile: LANES invocations, one for each texel of a row, share INPUTS neighbouring texels of y for IMAGES maps. So they read
// w in its order. OUTPUTS such tiles share a workgroup. It has PARTS times as many invocations, which share out the rows.
// dispatch: ⌈m / IMAGES⌉ · ⌈inputs / INPUTS⌉ tiles
struct Params {
    inputs: u32,    // texels of a map of y
    tiles: u32,     // of a map
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
const SUMS = INPUTS * IMAGES;
var<workgroup> partial: array<vec4<f32>, WORKGROUP * SUMS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let lane = index % LANES;
    let tile = index / LANES % OUTPUTS;
    let part = index / (LANES * OUTPUTS);
    let cut = split(group_index(id, groups) * OUTPUTS + tile, params.tiles);
    let c = min(cut.y * INPUTS, params.inputs - INPUTS); // the last tile may repeat some of its neighbour's texels
    let first = cut.x * IMAGES;
#for i in 0..IMAGES
    let map$i = min(first + $iu, params.maps - 1u);
#for c in 0..INPUTS
    var sum$c_$i = vec4<f32>();
#endfor
#endfor
    let rows = bound(params.rows, groups);
    for (var row = part; row < rows; row += PARTS) {
        // The last row may have more texels than dy: its weights are 0 there.
        let o = min((params.first + row) * LANES + lane, params.outputs - 1u);
#for i in 0..IMAGES
        let dy$i = load_dy(map$i * params.outputs + o);
#endfor
#for c in 0..INPUTS
        {
            let q = (row * params.inputs + c + $cu) * 4u * LANES + lane;
            let a = mat4x4(load_w(q), load_w(q + LANES), load_w(q + 2u * LANES), load_w(q + 3u * LANES));
#for i in 0..IMAGES
            sum$c_$i += dy$i * a;
#endfor
        }
#endfor
    }
#for i in 0..IMAGES
#for c in 0..INPUTS
    partial[((tile * SUMS + $($i*INPUTS+$c)u) * PARTS + part) * LANES + lane] = sum$c_$i;
#endfor
#endfor
    workgroupBarrier();
    for (var s = part * LANES + lane; s < SUMS; s += PARTS * LANES) {
        let map = first + s / INPUTS;
        var sum = vec4<f32>();
        for (var l = 0u; l < PARTS * LANES; l++) { sum += partial[(tile * SUMS + s) * PARTS * LANES + l]; }
        if map < params.maps {
            let to = map * params.inputs + c + s % INPUTS;
#ifdef ADD
            sum += load_earlier(to);
#endif
            store_y(to, sum);
        }
    }
}
