// Place of the texel that tap `k` multiplies for output `o`, counted from 1 within its plane; 0 in the padding.
fn source(o: vec2<u32>, k: vec2<u32>) -> u32 {
    let i = o * params.stride + k * params.dilation - params.pad; // wraps far outside where negative
    return select(0u, 1u + i.y * params.in_size.x + i.x, all(i < params.in_size));
}
