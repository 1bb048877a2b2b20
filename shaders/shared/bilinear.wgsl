// The value of map `map` of `x` at fractional pixel `at`, clamped at the edges of `size`.
fn bilinear(map: u32, size: vec2<u32>, at: vec2<f32>) -> vec4<f32> {
    let last = size - 1u;
    let inside = clamp(at, vec2<f32>(), vec2<f32>(last));
    let low = vec2<u32>(inside);
    let high = min(low + 1u, last);
    let part = inside - vec2<f32>(low);
    let top = map * size.x * size.y + low.y * size.x;
    let bottom = map * size.x * size.y + high.y * size.x;
    let upper = mix(load_x(top + low.x), load_x(top + high.x), part.x);
    let lower = mix(load_x(bottom + low.x), load_x(bottom + high.x), part.x);
    return mix(upper, lower, part.y);
}
