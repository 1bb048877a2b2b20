// Scales a map's value by the map's range, whose first numbers are the least and the greatest value.
//   (v − least) / (greatest − least + 1e-7), or with ANCHORED v / greatest magnitude, at most 1
#ifdef ANCHORED
fn rescaled(v: vec4<f32>, range: vec4<f32>) -> vec4<f32> { return min(v / max(max(range.y, -range.x), 1e-30), vec4<f32>(1.0)); }
#else
fn rescaled(v: vec4<f32>, range: vec4<f32>) -> vec4<f32> { return (v - range.x) / (range.y - range.x + 1e-7); }
#endif
// With POSITIVE only what speaks for the class is kept: Grad-CAM's ReLU. It is applied to a map and to its range.
#ifdef POSITIVE
fn positive(v: vec4<f32>) -> vec4<f32> { return max(v, vec4<f32>()); }
#else
fn positive(v: vec4<f32>) -> vec4<f32> { return v; }
#endif
