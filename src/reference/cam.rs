//! The Grad-CAM tail.

use super::planes::planes;
use crate::graph::Shape;

/// `map[m] = Σ_c weights[m,c] · a[image(m),c]`.
pub fn weighted_sum(a: &[f64], [n, c, h, w]: Shape, weights: &[f64], [m, ..]: Shape) -> Vec<f64> {
    planes(m, h * w, |map, y| {
        let a = &a[map / (m / n) * c * h * w..][..c * h * w];
        for (a, weight) in a.chunks(h * w).zip(&weights[map * c..]) {
            y.iter_mut().zip(a).for_each(|(y, a)| *y += weight * a);
        }
    })
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
    min_max(&resize(map, from, to), to).chunks(4).flat_map(|range| [range[0], range[1], 0.0, 0.0]).collect()
}

/// `(f(map) - f(min)) / (f(max) - f(min) + 1e-7)`, where f is `max(·, 0)` or the identity.
pub fn rescale(map: &[f64], [_, _, h, w]: Shape, range: &[f64], positive: bool) -> Vec<f64> {
    let f = |v: f64| if positive { v.max(0.0) } else { v };
    let scaled = |(map, range): (&[f64], &[f64])| {
        let (low, high) = (f(range[0]), f(range[1]));
        map.iter().map(|&v| (f(v) - low) / (high - low + 1e-7)).collect::<Vec<_>>()
    };
    map.chunks(h * w).zip(range.chunks(4)).flat_map(scaled).collect()
}

/// Bilinear interpolation with half-pixel centres, clamped at the edges.
pub fn resize(map: &[f64], [_, _, h, w]: Shape, [m, _, oh, ow]: Shape) -> Vec<f64> {
    planes(m, oh * ow, |i, y| {
        let map = &map[i * h * w..][..h * w];
        for (i, y) in y.iter_mut().enumerate() {
            let at = |o: usize, from: usize, to: usize| (o as f64 + 0.5) * from as f64 / to as f64 - 0.5;
            *y = bilinear(map, [h, w], [at(i / ow, h, oh), at(i % ow, w, ow)]);
        }
    })
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
