//! Numbers that are moved, repeated or added, and operations whose operands repeat.

use super::planes::planes;
use crate::graph::{Arithmetic, Digit, Omission, Rearrange, Shape, Side};

/// Each of a rearrangement's digits takes all its values.
pub fn rearrange(x: &[f64], moves: &Rearrange, [n, c, h, w]: Shape) -> Vec<f64> {
    let [from, to] = [moves.from, moves.to].map(|side| side.extents.iter().product::<usize>());
    let at = |side: &Side, values: &[usize], place: fn(&Digit) -> Option<(usize, usize)>| {
        let mut at = side.start;
        for (digit, value) in moves.digits.iter().zip(values) {
            if let Some((axis, stride)) = place(digit) {
                at[axis] += value * stride;
            }
        }
        (at[0] * side.extents[1] + at[1]) * side.extents[2] + at[2]
    };
    planes(n, c * h * w, |image, y| {
        let mut values = vec![0; moves.digits.len()];
        loop {
            let (source, target) = (at(&moves.from, &values, |d| d.from), at(&moves.to, &values, |d| d.to));
            y[target] += x[image * from + source];
            debug_assert_eq!(y.len(), to);
            // Counts on, the last digit first.
            let Some(next) = (0..values.len()).rev().find(|&d| values[d] + 1 < moves.digits[d].extent) else { return };
            values[next] += 1;
            values[next + 1..].fill(0);
        }
    })
}

/// `a + b` or `a · b`, with `b` repeated.
pub fn broadcast(op: Arithmetic, a: &[f64], [m, c, h, w]: Shape, b: &[f64], [n, bc, bh, bw]: Shape) -> Vec<f64> {
    planes(m * c, h * w, |plane, y| {
        let (image, channel) = (plane / c / (m / n), (plane % c).min(bc - 1));
        for (i, y) in y.iter_mut().enumerate() {
            let (row, column) = ((i / w).min(bh - 1), (i % w).min(bw - 1));
            let b = b[((image * bc + channel) * bh + row) * bw + column];
            let a = a[plane * h * w + i];
            *y = match op {
                Arithmetic::Add => a + b,
                Arithmetic::Multiply => a * b,
            };
        }
    })
}

/// `y[n,c,0,b] = x[n · count + b, c]`.
pub fn columns(x: &[f64], [n, c, ..]: Shape, count: usize) -> Vec<f64> {
    planes(n * c, count, |plane, y| {
        y.iter_mut().enumerate().for_each(|(b, y)| *y = x[(plane / c * count + b) * c + plane % c]);
    })
}

/// Each image `count` times, with something left out.
pub fn vary(x: &[f64], [n, c, h, w]: Shape, omission: Omission, first: usize, count: usize) -> Vec<f64> {
    planes(n * count * c, h * w, |plane, y| {
        let (image, channel) = (plane / c, plane % c);
        let left = first + image % count;
        let x = &x[(image / count * c + channel) * h * w..];
        for (p, y) in y.iter_mut().enumerate() {
            let stays = match omission {
                Omission::Channel => channel != left,
                Omission::OtherPixels => p == left,
            };
            *y = if stays { x[p] } else { 0.0 };
        }
    })
}

/// Columns in reverse.
pub fn mirror(x: &[f64], [.., w]: Shape) -> Vec<f64> {
    x.chunks(w).flat_map(|row| row.iter().rev().copied()).collect()
}
