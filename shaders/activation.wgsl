// Element-wise activation.
//   y = f(x)
// x, y: texels, one per invocation; dispatch: `texels` invocations
// With MASKED, f has no number for any argument, and must not meet lanes past the last channel.
struct Params {
    texels: u32,
    plane: u32,       // h · w
    blocks: u32,
    channels: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
#import read x 1
#import write y 2
#import grid
#import activation
#import present

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.texels {
        var y = activate(ACTIVATION, load_x(at));
#ifdef MASKED
        y = select(vec4<f32>(), y, present(split(split(at, params.plane).x, params.blocks).y) > vec4<f32>());
#endif
        store_y(at, y);
    }
}
