// Adds a residual, or two gradients.
//   y = a + b
// a, b, y: texels, one per invocation; dispatch: `texels` invocations
struct Params {
    texels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read a 1
#import read b 2
#import write y 3
#import grid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        store_y(at, load_a(at) + load_b(at));
    }
}
