//! Pillow's resampling, equal to the byte: networks are trained on images that Pillow, or a copy of it, has
//! resampled.
//!
//! Rows come first, then columns. Each result of bytes is rounded to bytes, with weights of 22 fractional bits. A library
//! with coarser weights differs in one byte of five hundred, which moves heat maps of earlier layers by up to 0.1. Bands
//! are resampled as Pillow's pictures of mode `F`: weights and sums in f64, each result rounded to f32.

use std::f64::consts::PI;
use std::ops::Range;

use crate::model::Interpolation::{self, Bicubic, Bilinear, Box, Hamming, Lanczos, Nearest};

/// Fractional bits of a weight.
const BITS: u32 = 22;

/// A resize of a picture, of whose result a part is wanted.
pub struct Resize<Pixel> {
    /// Width and height of the picture.
    pub from: [usize; 2],
    /// Width and height of the whole result.
    pub to: [usize; 2],
    /// The columns and rows wanted. Those outside the result have the colour of the border.
    pub crop: [Range<isize>; 2],
    pub interpolation: Interpolation,
    pub border: Pixel,
}

/// The input elements that make one output element, with their weights.
struct Taps<Weight> {
    first: usize,
    weights: Vec<Weight>,
}

/// How far a filter reaches. The distance is in output elements if the input shrinks.
fn reach(interpolation: Interpolation) -> f64 {
    match interpolation {
        Nearest => 0.0,
        Box => 0.5,
        Bilinear | Hamming => 1.0,
        Bicubic => 2.0,
        Lanczos => 3.0,
    }
}

/// The filter's value at distance `x`, within its reach.
fn filter(interpolation: Interpolation, x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { libm::sin(x * PI) / (x * PI) };
    let away = x.abs();
    match interpolation {
        // A pixel on the border of two boxes belongs to the one before it.
        Nearest | Box => f64::from(u8::from(x > -0.5 && x <= 0.5)),
        _ if away >= reach(interpolation) => 0.0,
        Bilinear => 1.0 - away,
        Hamming => sinc(away) * (0.54 + 0.46 * libm::cos(away * PI)),
        // Keys' cubic with a = -0.5.
        Bicubic if away < 1.0 => (1.5 * away - 2.5) * away * away + 1.0,
        Bicubic => ((-0.5 * away + 2.5) * away - 4.0) * away + 2.0,
        Lanczos => sinc(x) * sinc(x / 3.0),
    }
}

/// Taps of the outputs in `range` when `input` elements are resized to `resized`; none for outputs beside them.
fn taps<S: Sample>(
    interpolation: Interpolation,
    input: usize,
    resized: usize,
    range: Range<isize>,
) -> Vec<Option<Taps<S::Weight>>> {
    let scale = input as f64 / resized as f64;
    let stretch = scale.max(1.0);
    let reach = stretch * reach(interpolation);
    // Pillow adds the scale again and again, and its sum decides which pixel is the nearest.
    let nearest: Vec<usize> = match interpolation {
        Nearest => std::iter::successors(Some(scale * 0.5), |at| Some(at + scale))
            .take(resized)
            .map(|at| (at as usize).min(input - 1))
            .collect(),
        _ => vec![],
    };
    let tap = |output: usize| {
        if interpolation == Nearest {
            return Taps { first: nearest[output], weights: vec![S::weight(1.0)] };
        }
        let centre = (output as f64 + 0.5) * scale;
        let first = (centre - reach + 0.5).max(0.0) as usize;
        let end = ((centre + reach + 0.5) as usize).min(input);
        let weights: Vec<f64> =
            (first..end).map(|i| filter(interpolation, (i as f64 - centre + 0.5) / stretch)).collect();
        let sum: f64 = weights.iter().sum();
        Taps { first, weights: weights.iter().map(|weight| S::weight(weight / sum)).collect() }
    };
    range.map(|output| usize::try_from(output).ok().filter(|output| *output < resized).map(tap)).collect()
}

/// A kind of number that is resampled.
pub trait Sample: Copy {
    type Weight: Copy;

    fn weight(weight: f64) -> Self::Weight;

    fn sum(products: impl Iterator<Item = (Self::Weight, Self)>) -> Self;
}

impl Sample for u8 {
    type Weight = i32;

    fn weight(weight: f64) -> i32 {
        (weight * f64::from(1 << BITS)).round() as i32
    }

    fn sum(products: impl Iterator<Item = (i32, u8)>) -> u8 {
        let sum: i32 = products.map(|(weight, number)| weight * i32::from(number)).sum();
        ((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
    }
}

impl Sample for f32 {
    type Weight = f64;

    fn weight(weight: f64) -> f64 {
        weight
    }

    fn sum(products: impl Iterator<Item = (f64, f32)>) -> f32 {
        products.map(|(weight, number)| weight * f64::from(number)).sum::<f64>() as f32
    }
}

impl<Weight: Copy> Taps<Weight> {
    fn apply<S: Sample<Weight = Weight>>(&self, element: impl Fn(usize) -> S) -> S {
        S::sum(self.weights.iter().enumerate().map(|(i, weight)| (*weight, element(self.first + i))))
    }
}

/// The wanted part of a resized picture, whose pixels have the first `N` of `stride` numbers each.
pub fn resample<S: Sample, const N: usize>(picture: &[S], stride: usize, resize: &Resize<[S; N]>) -> Vec<[S; N]> {
    let [columns, rows] =
        [0, 1].map(|a| taps::<S>(resize.interpolation, resize.from[a], resize.to[a], resize.crop[a].clone()));
    let width = resize.from[0];
    let used = || rows.iter().flatten();
    let first = used().map(|t| t.first).min().unwrap_or(0);
    let end = used().map(|t| t.first + t.weights.len()).max().unwrap_or(0);
    let line = |y: usize| &picture[y * width * stride..];
    let inside: Vec<_> = columns.iter().flatten().collect();
    let narrow: Vec<[S; N]> = (first..end)
        .flat_map(|y| inside.iter().map(move |tap| std::array::from_fn(|c| tap.apply(|x| line(y)[x * stride + c]))))
        .collect();
    // The columns inside are neighbours.
    let border = columns.iter().take_while(|tap| tap.is_none()).count();
    let mut input = Vec::with_capacity(rows.len() * columns.len());
    for row in &rows {
        for (x, column) in columns.iter().enumerate() {
            input.push(match (row, column) {
                (Some(tap), Some(_)) => {
                    let x = x - border;
                    std::array::from_fn(|c| tap.apply(|y| narrow[(y - first) * inside.len() + x][c]))
                }
                _ => resize.border,
            });
        }
    }
    input
}
