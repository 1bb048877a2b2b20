// Geometry of a pooling window, from `params`.

#ifdef ADAPTIVE
// Windows from ⌊o·in/out⌋ to ⌈(o+1)·in/out⌉, so that `out` of them cover `in`.
fn window_start(o: vec2<u32>) -> vec2<u32> {
    return o * params.in_size / params.out_size;
}
fn window_end(o: vec2<u32>) -> vec2<u32> {
    return ((o + 1u) * params.in_size + params.out_size - 1u) / params.out_size;
}
fn divisor(o: vec2<u32>) -> f32 {
    let extent = window_end(o) - window_start(o);
    return f32(extent.x * extent.y);
}

// The windows that cover element i: the first, and the one after the last.
fn covering_start(i: vec2<u32>) -> vec2<u32> {
    return i * params.out_size / params.in_size;
}
fn covering_end(i: vec2<u32>) -> vec2<u32> {
    return ((i + 1u) * params.out_size + params.in_size - 1u) / params.in_size;
}
#else
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

// The windows that cover element i, o·s <= i + p < o·s + k: the first, and the one after the last.
fn covering_start(i: vec2<u32>) -> vec2<u32> {
    let beyond = max(i + params.pad + 1u, params.kernel) - params.kernel;
    return (beyond + params.stride - 1u) / params.stride;
}
fn covering_end(i: vec2<u32>) -> vec2<u32> {
    return min((i + params.pad) / params.stride + 1u, params.out_size);
}
#endif
