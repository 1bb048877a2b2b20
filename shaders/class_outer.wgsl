// Gradient of a 1×1 convolution that makes the class scores. Only the channel of the explained class has a gradient.
//   y[m,i,p] = weights[m,i] · dy[m, class of m, p]
// weights [maps][blocks], dy [maps][dy_blocks][plane], y [maps][blocks][plane]: texels, one of y per invocation
// records [n][requests], class first; each image has `maps` maps
// dispatch: maps · blocks · plane invocations
struct Params {
    texels: u32,
    blocks: u32,
    plane: u32,       // h · w
    dy_blocks: u32,
    requests: u32,
    maps: u32,        // of an image
}
@group(0) @binding(0) var<uniform> params: Params;
#import read weights 1
#import read dy 2
#import read records 3
#import write y 4
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at >= params.texels { return; }
    let row = split(at, params.plane);
    let map = split(row.x, params.blocks).x;
    let record = split(map, params.maps);
    let class_id = u32(load_records(record.x * params.requests + record.y).x);
    let gradient = load_dy((map * params.dy_blocks + class_id / 4u) * params.plane + row.y)[class_id % 4u];
    store_y(at, load_weights(row.x) * gradient);
}
