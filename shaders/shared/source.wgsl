// Place of the texel that tap `k` multiplies for output `o`, counted from 1 within its plane; 0 in the padding.
fn source(o: vec2<u32>, k: vec2<u32>) -> u32 {
#ifdef GRADIENT
    let shifted = o + params.pad;
    let offset = k * params.dilation;
    let i = (shifted - offset) / params.stride;
    let inside = all(shifted >= offset) && all(i * params.stride + offset == shifted) && all(i < params.in_size);
#else
    let i = o * params.stride + k * params.dilation - params.pad; // wraps far outside where negative
    let inside = all(i < params.in_size);
#endif
    return select(0u, 1u + i.y * params.in_size.x + i.x, inside);
}
