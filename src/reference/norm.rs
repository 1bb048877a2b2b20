//! Layer normalisation over channels.

use super::planes::planes;
use crate::graph::Shape;

/// The normalised channels of one pixel, `(x - mean) / √(variance + eps)`, and the factor `1 / √(variance + eps)`.
fn normalise(x: impl Iterator<Item = f64> + Clone, eps: f32) -> (Vec<f64>, f64) {
    let count = x.clone().count() as f64;
    let mean = x.clone().sum::<f64>() / count;
    let variance = x.clone().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let inverse = 1.0 / (variance + f64::from(eps)).sqrt();
    (x.map(|x| (x - mean) * inverse).collect(), inverse)
}

/// `normalised(x) · weight[c] + bias[c]`.
pub fn layer_norm(x: &[f64], [n, c, h, w]: Shape, weight: &[f32], bias: &[f32], eps: f32) -> Vec<f64> {
    let plane = h * w;
    planes(n, c * plane, |image, y| {
        let x = &x[image * c * plane..][..c * plane];
        for p in 0..plane {
            let (normalised, _) = normalise(x[p..].iter().step_by(plane).copied(), eps);
            for (i, v) in normalised.into_iter().enumerate() {
                y[i * plane + p] = v * f64::from(weight[i]) + f64::from(bias[i]);
            }
        }
    })
}

/// `(d - mean(d) - z · mean(d · z)) / √(variance + eps)`, where `d = dy · weight` and `z` is the normalised input.
pub fn layer_norm_grad(
    dy: &[f64],
    [m, c, h, w]: Shape,
    x: &[f64],
    [n, ..]: Shape,
    weight: &[f32],
    eps: f32,
) -> Vec<f64> {
    let plane = h * w;
    planes(m, c * plane, |map, dx| {
        let x = &x[map / (m / n) * c * plane..][..c * plane];
        let dy = &dy[map * c * plane..][..c * plane];
        for p in 0..plane {
            let (z, inverse) = normalise(x[p..].iter().step_by(plane).copied(), eps);
            let d: Vec<f64> = dy[p..].iter().step_by(plane).zip(weight).map(|(dy, w)| dy * f64::from(*w)).collect();
            let mean = d.iter().sum::<f64>() / c as f64;
            let along = d.iter().zip(&z).map(|(d, z)| d * z).sum::<f64>() / c as f64;
            for (i, (d, z)) in d.iter().zip(&z).enumerate() {
                dx[i * plane + p] = (d - mean - z * along) * inverse;
            }
        }
    })
}
