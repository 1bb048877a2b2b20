// Activation functions by code, in the order of `graph::Activation`; 0 is the identity.
fn sigmoid(x: vec4<f32>) -> vec4<f32> { return 1.0 / (1.0 + exp(-x)); }
fn hard_sigmoid(x: vec4<f32>) -> vec4<f32> { return relu6(x + 3.0) / 6.0; }

// `max` and `clamp` may turn a NaN into a number and so hide it. A comparison with a NaN is false, so `select` keeps it.
fn relu(x: vec4<f32>) -> vec4<f32> { return select(x, vec4<f32>(), x < vec4<f32>()); }
fn relu6(x: vec4<f32>) -> vec4<f32> { return select(relu(x), vec4<f32>(6.0), x > vec4<f32>(6.0)); }

const INVERSE_SQRT_2 = 0.70710678;
const INVERSE_SQRT_2_PI = 0.39894228;
const INVERSE_SQRT_PI = 0.56418958;
const SQRT_2_PI = 0.79788456;

// The normal distribution's Φ, computed from erf(z) = 1 − (a1 t + … + a5 t⁵) exp(−z²) with t = 1 / (1 + p z). This is
// accurate to 1.5e-7: Abramowitz and Stegun, 7.1.26.
fn normal(x: vec4<f32>) -> vec4<f32> {
    let z = abs(x) * INVERSE_SQRT_2;
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    let tail = 0.5 * series * exp(-z * z);
    return select(tail, 1.0 - tail, x >= vec4<f32>());
}

// Drivers' own `tanh` may overflow.
fn tanh_of(x: vec4<f32>) -> vec4<f32> {
    let e = exp(-2.0 * abs(x));
    return sign(x) * (1.0 - e) / (1.0 + e);
}
fn softplus(x: vec4<f32>) -> vec4<f32> { return relu(x) + log(1.0 + exp(-abs(x))); }
fn gelu_argument(x: vec4<f32>) -> vec4<f32> { return SQRT_2_PI * (x + 0.044715 * x * x * x); }

fn activate(code: u32, x: vec4<f32>) -> vec4<f32> {
    switch code {
        case 1u: { return relu(x); }
        case 2u: { return relu6(x); }
        case 3u: { return sigmoid(x); }
        case 4u: { return x * sigmoid(x); }
        case 5u: { return hard_sigmoid(x); }
        case 6u: { return x * hard_sigmoid(x); }
        case 7u: { return x * normal(x); }
        case 8u: { return tanh_of(x); }
        case 9u: { return softplus(x); }
        case 10u: { return select(exp(x) - 1.0, x, x > vec4<f32>()); }
        case 11u: { return x * tanh_of(softplus(x)); }
        case 12u: { return 0.5 * x * (1.0 + tanh_of(gelu_argument(x))); }
        case 13u: { return 2.0 * normal(x / INVERSE_SQRT_2) - 1.0; }
        case 14u: { return abs(x); }
        case 15u: { return exp(x); }
        case 16u: { return log(x); }
        case 17u: { return sqrt(x); }
        case 18u: { return 1.0 / x; }
        default: { return x; }
    }
}

fn inside(x: vec4<f32>, low: f32, high: f32) -> vec4<f32> {
    return select(vec4<f32>(), vec4<f32>(1.0), (x > vec4<f32>(low)) & (x < vec4<f32>(high)));
}

// The derivative. `saved` is the function's output for codes 1, 2, 3, 5, 8, 10, 15, 17 and 18, and its input for the others.
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
        case 7u: { return normal(saved) + saved * exp(-0.5 * saved * saved) * INVERSE_SQRT_2_PI; }
        case 8u: { return 1.0 - saved * saved; }
        case 9u: { return sigmoid(saved); }
        case 10u: { return select(saved + 1.0, vec4<f32>(1.0), saved > vec4<f32>()); }
        case 11u: { let t = tanh_of(softplus(saved)); return t + saved * (1.0 - t * t) * sigmoid(saved); }
        case 12u: {
            let t = tanh_of(gelu_argument(saved));
            return 0.5 * (1.0 + t) + 0.5 * saved * (1.0 - t * t) * SQRT_2_PI * (1.0 + 0.134145 * saved * saved);
        }
        case 13u: { return 2.0 * INVERSE_SQRT_PI * exp(-saved * saved); }
        case 14u: { return sign(saved); }
        case 15u: { return saved; }
        case 16u: { return 1.0 / saved; }
        case 17u: { return 0.5 / saved; }
        case 18u: { return -saved * saved; }
        default: { return vec4<f32>(1.0); }
    }
}
