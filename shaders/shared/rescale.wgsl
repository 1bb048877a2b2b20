// A map's value in 0..1 by the map's range, least and greatest first; POSITIVE: of what speaks for the class alone, which
// is Grad-CAM's ReLU.
//   (f(v) − f(least)) / (f(greatest) − f(least) + 1e-7), f(v) = v or max(v, 0)
fn rescaled(v: vec4<f32>, range: vec4<f32>) -> vec4<f32> {
#ifdef POSITIVE
    let ends = max(range.xy, vec2<f32>());
    return (max(v, vec4<f32>()) - ends.x) / (ends.y - ends.x + 1e-7);
#else
    return (v - range.x) / (range.y - range.x + 1e-7);
#endif
}
