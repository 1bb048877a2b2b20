// Geometry of a pooling window, from `params`.

// First element of window `o` that lies in the input, and the one after its last.
fn window_start(o: vec2<u32>) -> vec2<u32> {
    return max(o * params.stride, params.pad) - params.pad;
}
fn window_end(o: vec2<u32>) -> vec2<u32> {
    return min(o * params.stride + params.kernel, params.in_size + params.pad) - params.pad;
}

// How many elements the average of window `o` counts.
fn divisor(o: vec2<u32>) -> f32 {
    let first = o * params.stride;
    let padded = min(first + params.kernel, params.in_size + params.pad + params.pad_end) - first;
    let extent = select(window_end(o) - window_start(o), padded, params.count_pad > 0u);
    return f32(extent.x * extent.y);
}
