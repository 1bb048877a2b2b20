// A macro tile that a workgroup makes together: BLOCKS · 4 outputs × SPAN pixels. Each invocation makes a register tile
// of it, 4 outputs × PIXELS pixels that lie ACROSS apart, so that neighbours read and write neighbours. DEPTH channel
// blocks of the pixels and of the weights lie in workgroup memory at a time, and each invocation brings STAGED texels of
// both.
const SPAN = ACROSS * PIXELS;
var<workgroup> staged_x: array<vec4<f32>, DEPTH * SPAN>;       // [DEPTH][SPAN]
var<workgroup> staged_w: array<vec4<f32>, DEPTH * BLOCKS * 4>; // [DEPTH][BLOCKS][4], as in w
fn load_staged_w(i: u32) -> vec4<f32> { return staged_w[i]; }
