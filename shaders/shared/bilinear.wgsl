// Bilinear sample of map `map` at fractional pixel `at`, clamped to the edges of `size`. `value(map, i)` is texel i of the
// tensor, which belongs to that map.
fn bilinear(map: u32, size: vec2<u32>, at: vec2<f32>) -> vec4<f32> {
    let last = size - 1u;
    let inside = clamp(at, vec2<f32>(), vec2<f32>(last));
    let low = vec2<u32>(inside);
    let high = min(low + 1u, last);
    let part = inside - vec2<f32>(low);
    let top = map * size.x * size.y + low.y * size.x;
    let bottom = map * size.x * size.y + high.y * size.x;
    let upper = mix(value(map, top + low.x), value(map, top + high.x), part.x);
    let lower = mix(value(map, bottom + low.x), value(map, bottom + high.x), part.x);
    return mix(upper, lower, part.y);
}
