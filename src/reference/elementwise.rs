//! Element-wise operations, and means over planes.

use super::planes::planes;
use crate::graph::{Activation, Shape, hash};

/// `(rgb / 255 - mean) / std`, from interleaved RGBA to one plane per channel.
pub fn normalise(pixels: &[u8], [n, channels, h, w]: Shape, mean: &[f32], std: &[f32]) -> Vec<f64> {
    planes(n * channels, h * w, |plane, y| {
        let (image, c) = (plane / channels, plane % channels);
        let pixels = &pixels[image * h * w * 4..];
        for (i, y) in y.iter_mut().enumerate() {
            *y = (f64::from(pixels[i * 4 + c]) / 255.0 - f64::from(mean[c])) / f64::from(std[c]);
        }
    })
}

/// `x · scale[c] + shift[c]`.
pub fn scale_shift(x: &[f64], [_, c, h, w]: Shape, scale: &[f32], shift: Option<&[f32]>) -> Vec<f64> {
    let channel = |i: usize| i / (h * w) % c;
    let shift = |c: usize| shift.map_or(0.0, |s| f64::from(s[c]));
    x.iter().enumerate().map(|(i, x)| x * f64::from(scale[channel(i)]) + shift(channel(i))).collect()
}

/// `f(x)`.
pub fn activate(f: Activation, x: &[f64]) -> Vec<f64> {
    let hard_sigmoid = |x: f64| ((x + 3.0) / 6.0).clamp(0.0, 1.0);
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let apply = |x: f64| match f {
        Activation::Relu => x.max(0.0),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::Sigmoid => sigmoid(x),
        Activation::Silu => x * sigmoid(x),
        Activation::HardSigmoid => hard_sigmoid(x),
        Activation::HardSwish => x * hard_sigmoid(x),
        Activation::Gelu => x * normal(x),
        Activation::Tanh => x.tanh(),
        Activation::Softplus => softplus(x),
        Activation::Elu => {
            if x > 0.0 {
                x
            } else {
                x.exp_m1()
            }
        }
        Activation::Mish => x * softplus(x).tanh(),
        Activation::GeluTanh => 0.5 * x * (1.0 + gelu_argument(x).tanh()),
        Activation::Erf => libm::erf(x),
        Activation::Abs => x.abs(),
        Activation::Exp => x.exp(),
        Activation::Log => x.ln(),
        Activation::Sqrt => x.sqrt(),
        Activation::Reciprocal => 1.0 / x,
    };
    x.iter().map(|&x| apply(x)).collect()
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// What [`Activation::GeluTanh`] takes the tanh of.
fn gelu_argument(x: f64) -> f64 {
    (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))
}

/// The distribution function Φ of the normal distribution.
fn normal(x: f64) -> f64 {
    0.5 * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2))
}

/// `dy · f'`. `saved` is the output or the input of `f`. Several maps may share one image.
pub fn activate_grad(f: Activation, dy: &[f64], saved: &[f64], [m, ..]: Shape, [n, c, h, w]: Shape) -> Vec<f64> {
    let image = c * h * w;
    let inside = |x: f64, low: f64, high: f64| f64::from(u8::from(x > low && x < high));
    let slope = |s: f64| match f {
        Activation::Relu => inside(s, 0.0, f64::INFINITY),
        Activation::Relu6 => inside(s, 0.0, 6.0),
        Activation::Sigmoid => s * (1.0 - s),
        Activation::Silu => {
            let sigmoid = 1.0 / (1.0 + (-s).exp());
            sigmoid * (1.0 + s * (1.0 - sigmoid))
        }
        Activation::HardSigmoid => inside(s, 0.0, 1.0) / 6.0,
        Activation::Gelu => normal(s) + s * (-0.5 * s * s).exp() / (2.0 * std::f64::consts::PI).sqrt(),
        Activation::HardSwish => match s {
            s if s <= -3.0 => 0.0,
            s if s >= 3.0 => 1.0,
            s => s / 3.0 + 0.5,
        },
        Activation::Tanh => 1.0 - s * s,
        Activation::Softplus => 1.0 / (1.0 + (-s).exp()),
        Activation::Elu => {
            if s > 0.0 {
                1.0
            } else {
                s + 1.0
            }
        }
        Activation::Mish => {
            let tanh = softplus(s).tanh();
            tanh + s * (1.0 - tanh * tanh) / (1.0 + (-s).exp())
        }
        Activation::GeluTanh => {
            let tanh = gelu_argument(s).tanh();
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (1.0 + 3.0 * 0.044715 * s * s);
            0.5 * (1.0 + tanh) + 0.5 * s * (1.0 - tanh * tanh) * inner
        }
        Activation::Erf => 2.0 / std::f64::consts::PI.sqrt() * (-s * s).exp(),
        Activation::Abs => {
            if s == 0.0 {
                0.0
            } else {
                s.signum()
            }
        }
        Activation::Exp => s,
        Activation::Log => 1.0 / s,
        Activation::Sqrt => 0.5 / s,
        Activation::Reciprocal => -s * s,
    };
    let saved = |i: usize| saved[i / image / (m / n) * image + i % image];
    dy.iter().enumerate().map(|(i, dy)| dy * slope(saved(i))).collect()
}

/// Mean of each plane.
pub fn mean(x: &[f64], [_, _, h, w]: Shape) -> Vec<f64> {
    x.chunks(h * w).map(|plane| plane.iter().sum::<f64>() / (h * w) as f64).collect()
}

/// Spreads the gradient of each plane's mean evenly over the plane.
pub fn mean_grad(dy: &[f64], plane: usize) -> Vec<f64> {
    dy.iter().flat_map(|dy| std::iter::repeat_n(dy / plane as f64, plane)).collect()
}

/// `x + deviation · (greatest - least) · N` with the Gaussian noise of a key.
pub fn noise(x: &[f64], [n, c, h, w]: Shape, range: &[f64], key: u32, deviation: f64) -> Vec<f64> {
    planes(n * c, h * w, |plane, y| {
        let range = &range[plane / c * 4..];
        for (p, y) in y.iter_mut().enumerate() {
            let at = plane * h * w + p;
            let first = hash((at % (c * h * w)) as u32 ^ key);
            let unit = |hash: u32, more: u32| f64::from((hash >> 8) + more) / f64::from(1 << 24);
            let gauss = (-2.0 * unit(first, 1).ln()).sqrt() * (std::f64::consts::TAU * unit(hash(first), 0)).cos();
            *y = x[at] + deviation * (range[1] - range[0]) * gauss;
        }
    })
}
