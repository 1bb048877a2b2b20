//! Products of matrices of activations, and the softmax of attention.

use super::planes::planes;
use crate::graph::{Contract, Form, Shape};

/// The product of two matrices in each group, see [`Form`].
pub fn contract(
    Contract { form, groups }: Contract,
    a: &[f64],
    [na, ca, ha, wa]: Shape,
    b: &[f64],
    [nb, cb, hb, wb]: Shape,
    [n, c, h, w]: Shape,
) -> Vec<f64> {
    let (pixels_a, pixels_b) = (ha * wa, hb * wb);
    // Channels of a group.
    let (ia, ib, iy) = (ca / groups, cb / groups, c / groups);
    planes(n * c, h * w, |plane, y| {
        let (image, group, k) = (plane / c, plane % c / iy, plane % c % iy);
        let a = |i: usize, p: usize| a[((image / (n / na)) * ca + group * ia + i) * pixels_a + p];
        let b = |i: usize, p: usize| b[((image / (n / nb)) * cb + group * ib + i) * pixels_b + p];
        for (p, y) in y.iter_mut().enumerate() {
            *y = match form {
                Form::Channels => (0..ia).map(|i| a(i, p) * b(i, k)).sum(),
                Form::Across => (0..ia).map(|j| a(j, p) * b(k, j)).sum(),
                Form::Pixels(_) => (0..pixels_a).map(|q| a(k, q) * b(p, q)).sum(),
            };
        }
    })
}

/// The softmax over each plane.
pub fn softmax(x: &[f64], [n, c, h, w]: Shape) -> Vec<f64> {
    planes(n * c, h * w, |plane, y| {
        let x = &x[plane * h * w..][..h * w];
        let greatest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (x - greatest).exp());
        let sum: f64 = y.iter().sum();
        y.iter_mut().for_each(|y| *y /= sum);
    })
}

/// `y · (dy - Σ dy · y)` of each plane.
pub fn softmax_grad(dy: &[f64], [m, c, h, w]: Shape, y: &[f64], [n, ..]: Shape) -> Vec<f64> {
    planes(m * c, h * w, |plane, dx| {
        let dy = &dy[plane * h * w..][..h * w];
        let y = &y[(plane / c / (m / n) * c + plane % c) * h * w..][..h * w];
        let along: f64 = dy.iter().zip(y).map(|(dy, y)| dy * y).sum();
        dx.iter_mut().zip(dy.iter().zip(y)).for_each(|(dx, (dy, y))| *dx = y * (dy - along));
    })
}
