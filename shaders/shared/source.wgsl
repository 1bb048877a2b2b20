// Index of a texel that an output reads: `reach` pixels after `first`, where the output's window begins. It is counted from 1
// within the texel's plane, and 0 in the padding.
fn source(first: vec2<u32>, reach: vec2<u32>, size: vec2<u32>) -> u32 {
    let i = first + reach;
    return select(0u, 1u + i.y * size.x + i.x, all(i < size));
}
