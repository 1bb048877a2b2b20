// A map's value in 0..1 by the map's range, least and greatest first.
//   (v − least) / (greatest − least + 1e-7)
fn rescaled(v: vec4<f32>, range: vec4<f32>) -> vec4<f32> { return (v - range.x) / (range.y - range.x + 1e-7); }
// With POSITIVE what speaks for the class alone, Grad-CAM's ReLU: of a map and of its range alike.
#ifdef POSITIVE
fn positive(v: vec4<f32>) -> vec4<f32> { return max(v, vec4<f32>()); }
#else
fn positive(v: vec4<f32>) -> vec4<f32> { return v; }
#endif
