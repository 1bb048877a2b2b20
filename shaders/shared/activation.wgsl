// Activation functions by code, in the order of `graph::Activation`; 0 is the identity.
fn sigmoid(x: vec4<f32>) -> vec4<f32> { return 1.0 / (1.0 + exp(-x)); }
fn hard_sigmoid(x: vec4<f32>) -> vec4<f32> { return clamp(x + 3.0, vec4<f32>(), vec4<f32>(6.0)) / 6.0; }

fn activate(code: u32, x: vec4<f32>) -> vec4<f32> {
    switch code {
        case 1u: { return max(x, vec4<f32>()); }
        case 2u: { return clamp(x, vec4<f32>(), vec4<f32>(6.0)); }
        case 3u: { return sigmoid(x); }
        case 4u: { return x * sigmoid(x); }
        case 5u: { return hard_sigmoid(x); }
        case 6u: { return x * hard_sigmoid(x); }
        default: { return x; }
    }
}

fn inside(x: vec4<f32>, low: f32, high: f32) -> vec4<f32> {
    return select(vec4<f32>(), vec4<f32>(1.0), (x > vec4<f32>(low)) & (x < vec4<f32>(high)));
}

// The derivative, from the function's output for codes 1, 2, 3 and 5, from its input for 4 and 6.
fn slope(code: u32, saved: vec4<f32>) -> vec4<f32> {
    switch code {
        case 1u: { return select(vec4<f32>(), vec4<f32>(1.0), saved > vec4<f32>()); }
        case 2u: { return inside(saved, 0.0, 6.0); }
        case 3u: { return saved * (1.0 - saved); }
        case 4u: { let s = sigmoid(saved); return s * (1.0 + saved * (1.0 - s)); }
        case 5u: { return inside(saved, 0.0, 1.0) / 6.0; }
        case 6u: {
            let middle = select(saved / 3.0 + 0.5, vec4<f32>(), saved <= vec4<f32>(-3.0));
            return select(middle, vec4<f32>(1.0), saved >= vec4<f32>(3.0));
        }
        default: { return vec4<f32>(1.0); }
    }
}
