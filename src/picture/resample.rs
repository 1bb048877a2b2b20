//! Pillow's resampling, equal to the byte: networks are trained on images that Pillow, or a copy of it, has
//! resampled.
//!
//! Rows come first, then columns. Each result is rounded to bytes. Weights have 22 fractional bits. A library with
//! coarser weights differs in one byte of five hundred, which moves heat maps of earlier layers by up to 0.1.

use std::ops::Range;

use crate::model::Interpolation;

/// Fractional bits of a weight.
const BITS: u32 = 22;

/// The input elements that make one output element, with their weights.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// The filter's value at distance `x`. The distance is in output elements if the input shrinks.
fn filter(interpolation: Interpolation, x: f64) -> f64 {
    let x = x.abs();
    match interpolation {
        Interpolation::Bilinear => (1.0 - x).max(0.0),
        // Keys' cubic with a = -0.5.
        Interpolation::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        Interpolation::Bicubic if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
        Interpolation::Bicubic => 0.0,
    }
}

/// Taps of the outputs in `range` when `input` elements are resized to `resized`.
fn taps(interpolation: Interpolation, input: usize, resized: usize, range: Range<usize>) -> Vec<Taps> {
    let scale = input as f64 / resized as f64;
    let stretch = scale.max(1.0);
    let reach = stretch * if interpolation == Interpolation::Bilinear { 1.0 } else { 2.0 };
    let tap = |output: usize| {
        let centre = (output as f64 + 0.5) * scale;
        let first = (centre - reach + 0.5).max(0.0) as usize;
        let end = ((centre + reach + 0.5) as usize).min(input);
        let weights: Vec<f64> =
            (first..end).map(|i| filter(interpolation, (i as f64 - centre + 0.5) / stretch)).collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |w: &f64| (w / sum * f64::from(1 << BITS)).round() as i32;
        Taps { first, weights: weights.iter().map(fixed).collect() }
    };
    range.map(tap).collect()
}

impl Taps {
    fn apply(&self, element: impl Fn(usize) -> u8) -> u8 {
        let products = self.weights.iter().enumerate().map(|(i, w)| w * i32::from(element(self.first + i)));
        ((products.sum::<i32>() + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
    }
}

/// The columns and rows `crop` of an RGBA picture of `width` × `height` after a resize to `resized`. The result is
/// opaque.
pub fn resample(
    rgba: &[u8],
    [width, height]: [usize; 2],
    interpolation: Interpolation,
    resized: [usize; 2],
    crop: [Range<usize>; 2],
) -> Vec<u8> {
    let [columns, rows] = crop;
    let columns = taps(interpolation, width, resized[0], columns);
    let rows = taps(interpolation, height, resized[1], rows);
    let first = rows.iter().map(|t| t.first).min().unwrap_or(0);
    let end = rows.iter().map(|t| t.first + t.weights.len()).max().unwrap_or(0);
    let line = |y: usize| &rgba[y * width * 4..][..width * 4];
    let narrow: Vec<[u8; 3]> = (first..end)
        .flat_map(|y| columns.iter().map(move |tap| [0, 1, 2].map(|c| tap.apply(|x| line(y)[x * 4 + c]))))
        .collect();
    let pixel = |tap: &Taps, x: usize| [0, 1, 2].map(|c| tap.apply(|y| narrow[(y - first) * columns.len() + x][c]));
    rows.iter()
        .flat_map(|tap| (0..columns.len()).map(move |x| (tap, x)))
        .flat_map(|(tap, x)| {
            let [r, g, b] = pixel(tap, x);
            [r, g, b, 255]
        })
        .collect()
}
