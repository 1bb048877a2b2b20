//! Operations that move, join and scale channels.

use super::planes::planes;
use crate::graph::Shape;

/// The channels of `a`, then those of `b`.
pub fn concat(a: &[f64], [_, ca, h, w]: Shape, b: &[f64], [_, cb, ..]: Shape) -> Vec<f64> {
    let images = a.chunks(ca * h * w).zip(b.chunks(cb * h * w));
    images.flat_map(|(a, b)| a.iter().chain(b)).copied().collect()
}

/// Each output channel is the input channel that `source` gives, or zeros if it gives none.
pub fn gather(
    x: &[f64],
    [_, from, ..]: Shape,
    [n, c, h, w]: Shape,
    source: impl Fn(usize) -> Option<usize> + Sync,
) -> Vec<f64> {
    planes(n * c, h * w, |plane, y| {
        if let Some(channel) = source(plane % c) {
            y.copy_from_slice(&x[(plane / c * from + channel) * h * w..][..h * w]);
        }
    })
}

/// `x · s`. The gates of one image serve all of its maps.
pub fn gate(x: &[f64], [m, c, h, w]: Shape, s: &[f64], [n, ..]: Shape) -> Vec<f64> {
    planes(m * c, h * w, |plane, y| {
        let s = s[plane / c / (m / n) * c + plane % c];
        y.iter_mut().zip(&x[plane * h * w..]).for_each(|(y, x)| *y = x * s);
    })
}

/// `Σ_p dy · x` of each channel.
pub fn gate_grad(dy: &[f64], [m, c, h, w]: Shape, x: &[f64], [n, ..]: Shape) -> Vec<f64> {
    planes(m * c, 1, |plane, ds| {
        let x = &x[(plane / c / (m / n) * c + plane % c) * h * w..][..h * w];
        ds[0] = dy[plane * h * w..][..h * w].iter().zip(x).map(|(dy, x)| dy * x).sum();
    })
}
