// Mean and 1 / √(variance + eps) over the channels of one pixel of `x`. Its texels begin at `first` and lie `plane` apart.

fn moments(first: u32) -> vec2<f32> {
    var sum = vec4<f32>();
    for (var c = 0u; c < params.blocks; c++) {
        sum += load_x(first + c * params.plane) * present(c);
    }
    let mean = dot(sum, vec4<f32>(1.0)) / f32(params.channels);
    var squares = vec4<f32>();
    for (var c = 0u; c < params.blocks; c++) {
        let d = (load_x(first + c * params.plane) - mean) * present(c);
        squares += d * d;
    }
    return vec2<f32>(mean, inverseSqrt(dot(squares, vec4<f32>(1.0)) / f32(params.channels) + params.eps));
}
