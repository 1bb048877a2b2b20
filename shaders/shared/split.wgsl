// ⌊a / b⌋ and the rest, for a < 2³⁰, by way of f32: drivers on a processor divide integers lane by lane.
// The first guess is wrong by less than a / b / 2²¹ + 1, the second by at most 1, the last not at all.
fn split(a: u32, b: u32) -> vec2<u32> {
    let divisor = f32(b);
    let guess = u32(f32(a) / divisor);
    let near = guess + u32(i32(floor(f32(i32(a - guess * b)) / divisor))); // wraps where negative
    let rest = i32(a - near * b);
    let quotient = near - u32(rest < 0) + u32(rest >= i32(b));
    return vec2<u32>(quotient, a - quotient * b);
}
