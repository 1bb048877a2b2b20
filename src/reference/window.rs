//! Operations that slide a window: convolution, pooling, and their gradients.

use std::ops::Range;

use super::planes::planes;
use crate::graph::{Conv2d, Pool2d, PoolKind, Shape, Window};

/// One tap of a window, applied to one output row.
struct Row {
    /// `ky · kernel_w + kx`.
    tap: usize,
    oy: usize,
    iy: usize,
    /// Output columns for which the tap lies inside the input row.
    ox: Range<usize>,
    /// Input column of the first of these outputs. The next ones are `stride` apart.
    ix: usize,
}

/// Visits each pair of tap and output row for which the tap reads an existing input row.
fn rows(window: &Window, [h, w]: [usize; 2], [oh, ow]: [usize; 2], mut visit: impl FnMut(Row)) {
    let [kh, kw] = window.kernel;
    let [sy, sx] = window.stride;
    let [py, px] = window.pad_start;
    for tap in 0..kh * kw {
        let [dy, dx] = [tap / kw * window.dilation[0], tap % kw * window.dilation[1]];
        let first = px.saturating_sub(dx).div_ceil(sx);
        let end = if w + px > dx { ((w + px - dx - 1) / sx + 1).min(ow) } else { 0 };
        for oy in 0..oh {
            let y = oy * sy + dy;
            if first < end && y >= py && y - py < h {
                visit(Row { tap, oy, iy: y - py, ox: first..end, ix: first * sx + dx - px });
            }
        }
    }
}

/// `y[n,o] = bias[o] + Σ_i w[o,i] ∗ x[n, group(o) + i]`.
pub fn conv(
    x: &[f64],
    [_, c, h, w]: Shape,
    weight: &[f32],
    bias: Option<&[f32]>,
    conv: &Conv2d,
    [n, o, oh, ow]: Shape,
) -> Vec<f64> {
    let taps = conv.window.kernel.iter().product::<usize>();
    let (group_in, group_out) = (c / conv.groups, o / conv.groups);
    let stride = conv.window.stride[1];
    planes(n * o, oh * ow, |plane, y| {
        let (image, o) = (plane / o, plane % o);
        y.fill(bias.map_or(0.0, |b| f64::from(b[o])));
        for i in 0..group_in {
            let x = &x[(image * c + o / group_out * group_in + i) * h * w..][..h * w];
            let weight = &weight[(o * group_in + i) * taps..][..taps];
            rows(&conv.window, [h, w], [oh, ow], |row| {
                let k = f64::from(weight[row.tap]);
                let y = &mut y[row.oy * ow..][row.ox];
                let x = &x[row.iy * w + row.ix..];
                if stride == 1 {
                    y.iter_mut().zip(x).for_each(|(y, x)| *y += k * x);
                } else {
                    y.iter_mut().zip(x.iter().step_by(stride)).for_each(|(y, x)| *y += k * x);
                }
            });
        }
    })
}

/// `dx[n,i] = Σ_o w[o,i] ⋆ dy[n,o]`: each product of the forward pass, with input and output swapped.
pub fn conv_grad(dy: &[f64], [_, o, oh, ow]: Shape, weight: &[f32], conv: &Conv2d, [n, c, h, w]: Shape) -> Vec<f64> {
    let taps = conv.window.kernel.iter().product::<usize>();
    let (group_in, group_out) = (c / conv.groups, o / conv.groups);
    planes(n * c, h * w, |plane, dx| {
        let (image, i) = (plane / c, plane % c);
        for o_in_group in 0..group_out {
            let out = i / group_in * group_out + o_in_group;
            let dy = &dy[(image * o + out) * oh * ow..][..oh * ow];
            let weight = &weight[(out * group_in + i % group_in) * taps..][..taps];
            rows(&conv.window, [h, w], [oh, ow], |row| {
                let k = f64::from(weight[row.tap]);
                let dx = dx[row.iy * w + row.ix..].iter_mut().step_by(conv.window.stride[1]);
                dx.zip(&dy[row.oy * ow..][row.ox]).for_each(|(dx, dy)| *dx += k * dy);
            });
        }
    })
}

/// Max and average pooling.
pub fn pool(x: &[f64], [_, _, h, w]: Shape, pool: &Pool2d, [n, c, oh, ow]: Shape) -> Vec<f64> {
    planes(n * c, oh * ow, |plane, y| {
        let x = &x[plane * h * w..][..h * w];
        match pool.kind {
            PoolKind::Max => {
                let winners = argmax(x, [h, w], pool, [oh, ow]);
                y.iter_mut().zip(winners).for_each(|(y, at)| *y = x[at]);
            }
            PoolKind::Average { .. } => {
                rows(&pool.window, [h, w], [oh, ow], |row| {
                    let x = x[row.iy * w + row.ix..].iter().step_by(pool.window.stride[1]);
                    y[row.oy * ow..][row.ox].iter_mut().zip(x).for_each(|(y, x)| *y += x);
                });
                y.iter_mut().enumerate().for_each(|(i, y)| *y /= divisor(pool, [h, w], [i / ow, i % ow]));
            }
        }
    })
}

/// Adds each output's gradient to the elements that the output was made from.
pub fn pool_grad(dy: &[f64], [m, _, oh, ow]: Shape, x: &[f64], [n, c, h, w]: Shape, pool: &Pool2d) -> Vec<f64> {
    planes(m * c, h * w, |plane, dx| {
        let (map, channel) = (plane / c, plane % c);
        let x = &x[(map / (m / n) * c + channel) * h * w..][..h * w];
        let dy = &dy[plane * oh * ow..][..oh * ow];
        match pool.kind {
            PoolKind::Max => argmax(x, [h, w], pool, [oh, ow]).into_iter().zip(dy).for_each(|(at, dy)| dx[at] += dy),
            PoolKind::Average { .. } => rows(&pool.window, [h, w], [oh, ow], |row| {
                let start = row.ox.start;
                let dx = dx[row.iy * w + row.ix..].iter_mut().step_by(pool.window.stride[1]);
                dx.zip(&dy[row.oy * ow..][row.ox]).enumerate().for_each(|(i, (dx, dy))| {
                    *dx += dy / divisor(pool, [h, w], [row.oy, start + i]);
                });
            }),
        }
    })
}

/// Index of the greatest element of each window. Of equal elements, the first in row-major order counts.
fn argmax(x: &[f64], [h, w]: [usize; 2], pool: &Pool2d, [oh, ow]: [usize; 2]) -> Vec<usize> {
    let mut best: Vec<Option<usize>> = vec![None; oh * ow];
    rows(&pool.window, [h, w], [oh, ow], |row| {
        for (i, ox) in row.ox.enumerate() {
            let at = row.iy * w + row.ix + i * pool.window.stride[1];
            let best = &mut best[row.oy * ow + ox];
            if best.is_none_or(|b| x[at] > x[b]) {
                *best = Some(at);
            }
        }
    });
    best.into_iter().map(|b| b.expect("every window covers an element")).collect()
}

/// Number of elements that an average is divided by: those in the padded input, or only those in the input.
fn divisor(pool: &Pool2d, input: [usize; 2], output: [usize; 2]) -> f64 {
    let PoolKind::Average { count_include_pad } = pool.kind else { return 1.0 };
    let extent = |axis: usize| {
        let (start, pad) = (output[axis] * pool.window.stride[axis], pool.window.pad_start[axis]);
        let end = start + pool.window.kernel[axis];
        if count_include_pad {
            end.min(input[axis] + pad + pool.window.pad_end[axis]) - start
        } else {
            end.min(input[axis] + pad) - start.max(pad)
        }
    };
    (extent(0) * extent(1)) as f64
}

/// Elements of the adaptive window of output `o`.
fn adaptive(o: usize, input: usize, output: usize) -> Range<usize> {
    o * input / output..((o + 1) * input).div_ceil(output)
}

/// Mean over adaptive windows.
pub fn adaptive_pool(x: &[f64], [_, _, h, w]: Shape, [n, c, oh, ow]: Shape) -> Vec<f64> {
    planes(n * c, oh * ow, |plane, y| {
        for (i, y) in y.iter_mut().enumerate() {
            let (rows, columns) = (adaptive(i / ow, h, oh), adaptive(i % ow, w, ow));
            let count = (rows.len() * columns.len()) as f64;
            let row = |r: usize| x[plane * h * w + r * w..][columns.clone()].iter().sum::<f64>();
            *y = rows.map(row).sum::<f64>() / count;
        }
    })
}

/// Spreads each output's gradient evenly over its window.
pub fn adaptive_pool_grad(dy: &[f64], [_, _, oh, ow]: Shape, [m, c, h, w]: Shape) -> Vec<f64> {
    planes(m * c, h * w, |plane, dx| {
        for (i, dy) in dy[plane * oh * ow..][..oh * ow].iter().enumerate() {
            let (rows, columns) = (adaptive(i / ow, h, oh), adaptive(i % ow, w, ow));
            let share = dy / (rows.len() * columns.len()) as f64;
            for r in rows {
                dx[r * w..][columns.clone()].iter_mut().for_each(|dx| *dx += share);
            }
        }
    })
}
