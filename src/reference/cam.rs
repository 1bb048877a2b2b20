//! Maps from activations and gradients, and the tail.

use super::planes::planes;
use crate::graph::{Interpolation, SAMPLE, Scaling, Shape, Term, Weighing};

/// `map[m] = Σ_c term(weights[m,c], a[image(m),c])`. The weights are of a channel, or of each of its pixels.
pub fn weighted_sum(term: Term, a: &[f64], [n, c, h, w]: Shape, weights: &[f64], [m, _, wh, ww]: Shape) -> Vec<f64> {
    let plane = wh * ww;
    planes(m, h * w, |map, y| {
        let a = &a[map / (m / n) * c * h * w..][..c * h * w];
        for (a, weights) in a.chunks(h * w).zip(weights[map * c * plane..].chunks(plane)) {
            for (p, (y, a)) in y.iter_mut().zip(a).enumerate() {
                let weight = weights[p % plane];
                *y += match term {
                    Term::Product => weight * a,
                    Term::PositiveWeight => weight.max(0.0) * a,
                    Term::PositiveProduct => (weight * a).max(0.0),
                };
            }
        }
    })
}

/// Weights of channels, see [`Weighing`].
pub fn channel_weights(
    weighing: Weighing,
    eps: f64,
    a: &[f64],
    [n, c, h, w]: Shape,
    dy: &[f64],
    [m, ..]: Shape,
) -> Vec<f64> {
    planes(m * c, 1, |plane, y| {
        let a = &a[(plane / c / (m / n) * c + plane % c) * h * w..][..h * w];
        let of_a: f64 = a.iter().sum();
        let gradients = &dy[plane * h * w..][..h * w];
        y[0] = match weighing {
            Weighing::Share => gradients.iter().zip(a).map(|(g, a)| g * a / (of_a + eps)).sum(),
            Weighing::PlusPlus => gradients
                .iter()
                .filter(|g| **g != 0.0)
                .map(|g| g.max(0.0) * (g * g / (2.0 * g * g + of_a * g * g * g + eps)))
                .sum(),
        };
    })
}

/// `max_p x` of each channel.
pub fn plane_max(x: &[f64], [m, c, h, w]: Shape) -> Vec<f64> {
    planes(m * c, 1, |plane, y| y[0] = x[plane * h * w..][..h * w].iter().copied().fold(f64::MIN, f64::max))
}

/// `max_c |x|` at each pixel.
pub fn magnitude(x: &[f64], [m, c, h, w]: Shape) -> Vec<f64> {
    planes(m, h * w, |map, y| {
        for x in x[map * c * h * w..][..c * h * w].chunks(h * w) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = if x.is_nan() { *x } else { y.max(x.abs()) });
        }
    })
}

/// The eigenvector of the greatest eigenvalue of each symmetric matrix of `size` rows, by power iteration. Where eigenvalues may be
/// negative, half of the matrix's norm is added to all of them: so the greatest one has the greatest magnitude.
pub fn eigenvector(matrices: &[f64], size: usize, root: bool, indefinite: bool) -> Vec<f64> {
    planes(matrices.len() / (size * size), size, |map, y| {
        let matrix = &matrices[map * size * size..][..size * size];
        y.iter_mut().enumerate().for_each(|(i, y)| *y = (i as f64 * 0.618_034).fract() - 0.5);
        let norm = matrix.iter().map(|v| v * v).sum::<f64>().sqrt();
        let (mut eigenvalue, shift) = (0.0, if indefinite { norm / 2.0 } else { 0.0 });
        for _ in 0..20_000 {
            let product = matrix.chunks(size).map(|row| row.iter().zip(&*y).map(|(a, b)| a * b).sum::<f64>());
            let product: Vec<f64> = product.zip(&*y).map(|(product, y)| product + shift * y).collect();
            eigenvalue = product.iter().map(|v| v * v).sum::<f64>().sqrt();
            let unit = product.iter().map(|v| v / eigenvalue.max(1e-300));
            let mut moved = 0.0;
            for (y, unit) in y.iter_mut().zip(unit) {
                moved += (unit - *y).powi(2);
                *y = unit;
            }
            if moved < 1e-28 {
                break;
            }
        }
        let length = if root { (eigenvalue - shift).max(0.0).sqrt() } else { 1.0 };
        y.iter_mut().for_each(|y| *y *= length);
    })
}

/// Each map with the sign that makes its greatest magnitude positive.
pub fn orient(map: &[f64], [_, _, h, w]: Shape, range: &[f64]) -> Vec<f64> {
    let signed = |(map, range): (&[f64], &[f64])| {
        let sign = if -range[0] > range[1] { -1.0 } else { 1.0 };
        map.iter().map(|v| v * sign).collect::<Vec<_>>()
    };
    map.chunks(h * w).zip(range.chunks(4)).flat_map(signed).collect()
}

/// Per map: least and greatest finite value, and the number of values that are not finite.
pub fn min_max(map: &[f64], [_, _, h, w]: Shape) -> Vec<f64> {
    let record = |map: &[f64]| {
        let finite = || map.iter().copied().filter(|v| v.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(f64::NEG_INFINITY, f64::max);
        let others = map.len() - finite().count();
        if others == map.len() { [0.0, 0.0, others as f64, 0.0] } else { [low, high, others as f64, 0.0] }
    };
    map.chunks(h * w).flat_map(record).collect()
}

/// Per map: least and greatest finite value after a resize.
pub fn resized_range(map: &[f64], from: Shape, [h, w]: [usize; 2]) -> Vec<f64> {
    let to = [from[0], 1, h, w];
    min_max(&resize(map, from, to, Interpolation::Linear), to)
        .chunks(4)
        .flat_map(|range| [range[0], range[1], 0.0, 0.0])
        .collect()
}

/// Each map scaled by its range, see [`Scaling`].
pub fn rescale(map: &[f64], [_, _, h, w]: Shape, range: &[f64], scaling: Scaling) -> Vec<f64> {
    let scaled = |(map, range): (&[f64], &[f64])| {
        let (low, high) = (range[0], range[1]);
        let positive = |v: f64| v.max(0.0);
        let of = |v: f64| match scaling {
            Scaling::Positive => (positive(v) - positive(low)) / (positive(high) - positive(low) + 1e-7),
            Scaling::Whole => (v - low) / (high - low + 1e-7),
            Scaling::ToGreatest => (positive(v) / positive(high).max(1e-30)).min(1.0),
            Scaling::Signed => v / high.max(-low).max(1e-30),
        };
        map.iter().map(|&v| of(v)).collect::<Vec<_>>()
    };
    map.chunks(h * w).zip(range.chunks(4)).flat_map(scaled).collect()
}

/// Per map: what this part of `max(map, 0)` does not exceed.
pub fn percentile(map: &[f64], [_, _, h, w]: Shape, part: f64) -> Vec<f64> {
    let record = |map: &[f64]| {
        let mut sample: Vec<f64> = map.iter().step_by((h * w).div_ceil(SAMPLE)).map(|v| v.max(0.0)).collect();
        sample.sort_by(f64::total_cmp);
        let below = (part * sample.len() as f64).ceil() as usize;
        [0.0, sample[below.max(1) - 1], 0.0, 0.0]
    };
    map.chunks(h * w).flat_map(record).collect()
}

/// A resized map, see [`Interpolation`].
pub fn resize(map: &[f64], [_, _, h, w]: Shape, [m, _, oh, ow]: Shape, by: Interpolation) -> Vec<f64> {
    planes(m, oh * ow, |i, y| {
        let map = &map[i * h * w..][..h * w];
        for (i, y) in y.iter_mut().enumerate() {
            let at = |o: usize, from: usize, to: usize| match by {
                Interpolation::Corners => o as f64 * (from - 1) as f64 / (to - 1).max(1) as f64,
                Interpolation::Nearest => (o * from / to) as f64,
                Interpolation::Linear | Interpolation::Cubic => (o as f64 + 0.5) * from as f64 / to as f64 - 0.5,
            };
            let place = [at(i / ow, h, oh), at(i % ow, w, ow)];
            *y = if by == Interpolation::Cubic { cubic(map, [h, w], place) } else { bilinear(map, [h, w], place) };
        }
    })
}

/// The map's value at fractional coordinates by Pillow's cubic. Neighbours outside do not count.
fn cubic(map: &[f64], [h, w]: [usize; 2], [y, x]: [f64; 2]) -> f64 {
    let weight = |distance: f64| match distance.abs() {
        d if d < 1.0 => (1.5 * d - 2.5) * d * d + 1.0,
        d if d < 2.0 => ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0,
        _ => 0.0,
    };
    let around = |at: f64, extent: usize| {
        let first = at.floor() as isize - 1;
        (first..first + 4)
            .filter(move |i| (0..extent as isize).contains(i))
            .map(move |i| (i as usize, weight(at - i as f64)))
    };
    let (mut sum, mut all) = (0.0, 0.0);
    for (row, of_row) in around(y, h) {
        for (column, of_column) in around(x, w) {
            sum += of_row * of_column * map[row * w + column];
            all += of_row * of_column;
        }
    }
    sum / all
}

/// The map's value at fractional coordinates, clamped at the edges.
pub fn bilinear(map: &[f64], [h, w]: [usize; 2], [y, x]: [f64; 2]) -> f64 {
    let (y, x) = (y.clamp(0.0, (h - 1) as f64), x.clamp(0.0, (w - 1) as f64));
    let (top, left) = (y as usize, x as usize);
    let (bottom, right) = ((top + 1).min(h - 1), (left + 1).min(w - 1));
    let (fy, fx) = (y - top as f64, x - left as f64);
    let row = |y: usize| map[y * w + left] * (1.0 - fx) + map[y * w + right] * fx;
    row(top) * (1.0 - fy) + row(bottom) * fy
}
