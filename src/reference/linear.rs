//! Fully connected layers.

use super::planes::planes;
use crate::graph::{ClassWeights, Shape};

/// `y[n,o] = bias[o] + Σ_i w[o,i] · x[n,i]`.
pub fn forward(x: &[f64], weight: &[f32], bias: Option<&[f32]>, [n, o, ..]: Shape) -> Vec<f64> {
    let features = x.len() / n;
    planes(n * o, 1, |at, y| {
        let x = &x[at / o * features..][..features];
        let row = &weight[at % o * features..][..features];
        y[0] =
            bias.map_or(0.0, |b| f64::from(b[at % o])) + row.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum::<f64>();
    })
}

/// `dx[n,i] = Σ_o w[o,i] · dy[n,o]`.
pub fn grad(dy: &[f64], [_, o, ..]: Shape, weight: &[f32], [m, c, h, w]: Shape) -> Vec<f64> {
    let features = c * h * w;
    planes(m, features, |map, dx| {
        for (dy, row) in dy[map * o..][..o].iter().zip(weight.chunks(features)).filter(|(dy, _)| **dy != 0.0) {
            dx.iter_mut().zip(row).for_each(|(dx, w)| *dx += dy * f64::from(*w));
        }
    })
}

/// `scale · w[class]` for the first `maps` records of each image.
pub fn class_weights(records: &[f64], weight: &[f32], class: &ClassWeights) -> Vec<f64> {
    let features: usize = class.input.iter().product();
    let row = |record: &[f64]| {
        let row = &weight[record[0] as usize * features..][..features];
        row.iter().map(|w| f64::from(*w) * f64::from(class.scale)).collect::<Vec<_>>()
    };
    records.chunks(4 * class.requests).flat_map(|image| image.chunks(4).take(class.maps)).flat_map(row).collect()
}

/// `weights[m,c] · dy[m, class(m), p]`.
pub fn class_outer(
    weights: &[f64],
    dy: &[f64],
    [m, classes, h, w]: Shape,
    records: &[f64],
    requests: usize,
    maps: usize,
) -> Vec<f64> {
    let (channels, plane) = (weights.len() / m, h * w);
    let row = |at: usize| {
        let map = at / channels;
        let class = records[(map / maps * requests + map % maps) * 4] as usize;
        dy[(map * classes + class) * plane..][..plane].iter().map(move |dy| weights[at] * dy).collect::<Vec<_>>()
    };
    (0..weights.len()).flat_map(row).collect()
}
