// ⌊a / b⌋ and the remainder, for a < 2³⁰, computed in f32: software drivers divide integers lane by lane.
// The first guess is off by less than a / b / 2²¹ + 1, the second by at most 1. The last is exact.
fn split(a: u32, b: u32) -> vec2<u32> {
    let divisor = f32(b);
    let guess = u32(f32(a) / divisor);
    let near = guess + u32(i32(floor(f32(i32(a - guess * b)) / divisor))); // negative values wrap
    let rest = i32(a - near * b);
    let quotient = near - u32(rest < 0) + u32(rest >= i32(b));
    return vec2<u32>(quotient, a - quotient * b);
}
