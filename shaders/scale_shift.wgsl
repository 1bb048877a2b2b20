// Batch norm that could not be folded; its gradient has no shift.
//   y[n,c,p] = f( scale[c] · x[n,c,p] + shift[c] )
// x [n][x_blocks][plane], y [n][blocks][plane]: texels, one per invocation; w: scale [blocks], then shift [blocks]
// dispatch: n · blocks · plane invocations
struct Params {
    texels: u32,
    blocks: u32,
    plane: u32,       // h · w
    x_blocks: u32,    // blocks of an image of x; `x_first` is the first one read
    x_first: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import read w 2
#import write y 3
#import grid
#import activation

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        let place = split(at, params.plane);
        let image = split(place.x, params.blocks);
        let block = image.y;
        let x = load_x((image.x * params.x_blocks + params.x_first + block) * params.plane + place.y);
        store_y(at, activate(ACTIVATION, load_w(block) * x + load_w(params.blocks + block)));
    }
}
