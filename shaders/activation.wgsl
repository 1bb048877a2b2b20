// Element-wise activation.
//   y = f(x)
// x, y: texels, one per invocation; dispatch: `texels` invocations
struct Params {
    texels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#import activation

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        store_y(at, activate(ACTIVATION, load_x(at)));
    }
}
