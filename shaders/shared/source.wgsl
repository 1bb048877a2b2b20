// Place of the texel that an output multiplies, whose window begins at `first`, `reach` pixels on: counted from 1 within its
// plane; 0 in the padding.
fn source(first: vec2<u32>, reach: vec2<u32>, size: vec2<u32>) -> u32 {
    let i = first + reach;
    return select(0u, 1u + i.y * size.x + i.x, all(i < size));
}
