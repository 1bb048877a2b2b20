// The greater of two, NaN if one is: `max` may leave a NaN out, and hide it.
fn greatest(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> { return select(a, b, (b > a) | (b != b)); }
