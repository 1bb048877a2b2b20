// The greater of two values, or NaN if one of them is NaN. `max` may drop a NaN and so hide it.
fn greatest(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(a, b, (b > a) | (b != b)); }
