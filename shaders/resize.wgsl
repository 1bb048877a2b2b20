// Bilinear resize with half-pixel centres and no antialiasing, as torch's align_corners=False.
//   y[m,oy,ox] = x[m, (oy + ½)·h/oh − ½, (ox + ½)·w/ow − ½]
// x [maps][h][w], y [maps][oh][ow]: numbers, one of y an invocation
// dispatch: maps · oh · ow invocations
struct Params {
    in_size: vec2<u32>,   // width, height
    out_size: vec2<u32>,
    numbers: u32,         // maps · oh · ow
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
#import grid
#import bilinear

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = invocation(id, groups);
    if at < params.numbers {
        let size = params.out_size;
        let o = vec2<f32>(vec2<u32>(at % size.x, at / size.x % size.y));
        let i = (o + 0.5) * vec2<f32>(params.in_size) / vec2<f32>(size) - 0.5;
        y[at] = bilinear(at / size.x / size.y, params.in_size, i);
    }
}
