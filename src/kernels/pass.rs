//! Passes: convolutions and their gradients, both as plain convolutions.

use crate::graph::Window;

/// Which of a kernel's taps are used, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Taps {
    /// Extent of the kernel in the weight tensor.
    pub kernel: [usize; 2],
    first: [usize; 2],
    step: [isize; 2],
    /// Taps used along each axis.
    pub count: [usize; 2],
}

impl Taps {
    /// All of a kernel's taps in their order.
    pub fn all(kernel: [usize; 2]) -> Self {
        Self { kernel, first: [0; 2], step: [1; 2], count: kernel }
    }

    /// Number of taps used.
    pub fn number(&self) -> usize {
        self.count[0] * self.count[1]
    }

    /// The index of each used tap in the weight tensor's kernel.
    pub fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let Self { kernel, first, step, count } = *self;
        let at = move |axis: usize, t: usize| first[axis].wrapping_add_signed(step[axis] * t as isize);
        (0..count[0]).flat_map(move |y| (0..count[1]).map(move |x| at(0, y) * kernel[1] + at(1, x)))
    }
}

/// A convolution whose outputs are every `step`th pixel from `offset` on. Extents are `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    pub taps: Taps,
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    pub pad: [isize; 2],
    pub step: [usize; 2],
    pub offset: [usize; 2],
    /// Outputs made.
    pub grid: [usize; 2],
}

impl Pass {
    /// A convolution with outputs of extent `out`.
    pub fn forward(window: &Window, out: [usize; 2]) -> Self {
        Self {
            taps: Taps::all(window.kernel),
            stride: window.stride,
            dilation: window.dilation,
            pad: window.pad_start.map(|p| p as isize),
            step: [1; 2],
            offset: [0; 2],
            grid: out,
        }
    }

    /// The gradient of a convolution with inputs of extent `input`: one pass for each phase of its stride.
    ///
    /// Along one axis, output `o` reads input `i = s·o − p + d·k` through tap `k` in the forward pass. In the gradient, the
    /// inputs `i = s·j + r` of phase `r` gather from `o = j + (r + p − d·k) / s`, over the taps for which the division has no
    /// remainder. These are every `s/g`th tap, with g = gcd(s, d). In reverse order they form a convolution with stride 1 and
    /// dilation `d/g`.
    pub fn gradient(window: &Window, input: [usize; 2]) -> Vec<Self> {
        let [vertical, horizontal] = [0, 1].map(|axis| phases(window, axis, input[axis]));
        let both = |v: &Phase, h: &Phase| Self {
            taps: Taps {
                kernel: window.kernel,
                first: [v.first, h.first],
                step: [-v.step, -h.step],
                count: if v.count * h.count == 0 { [0; 2] } else { [v.count, h.count] },
            },
            stride: [1; 2],
            dilation: [v.dilation, h.dilation],
            pad: [v.pad, h.pad],
            step: window.stride,
            offset: [v.offset, h.offset],
            grid: [v.grid, h.grid],
        };
        vertical.iter().flat_map(|v| horizontal.iter().map(move |h| both(v, h))).collect()
    }

    /// Whether the outputs are neighbours and begin at the first pixel.
    pub fn is_whole(&self) -> bool {
        self.step == [1; 2]
    }
}

struct Phase {
    first: usize,
    step: isize,
    count: usize,
    dilation: usize,
    pad: isize,
    offset: usize,
    grid: usize,
}

fn phases(window: &Window, axis: usize, input: usize) -> Vec<Phase> {
    let [s, d, k, p] = [window.stride, window.dilation, window.kernel, window.pad_start].map(|v| v[axis] as isize);
    let g = gcd(s, d);
    let phase = |offset: usize| {
        let reach = offset as isize + p;
        let grid = (input - offset).div_ceil(s as usize);
        let none = Phase { first: 0, step: 1, count: 0, dilation: 1, pad: 0, offset, grid };
        let Some(least) = (0..k.min(s / g)).find(|tap| (reach - d * tap) % s == 0) else { return none };
        let count = (k - least + s / g - 1) / (s / g);
        let last = least + (count - 1) * (s / g);
        Phase {
            first: last as usize,
            step: s / g,
            count: count as usize,
            dilation: (d / g) as usize,
            pad: (d * last - reach) / s,
            ..none
        }
    };
    (0..(s as usize).min(input)).map(phase).collect()
}

fn gcd(a: isize, b: isize) -> isize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of input and output that a convolution connects occurs once in its gradient, with the same tap.
    #[test]
    fn phases_meet_every_tap_once() {
        for (kernel, stride, dilation, pad, input) in [
            (3, 1, 1, 1, 7),
            (3, 2, 1, 1, 8),
            (7, 2, 1, 3, 9),
            (1, 2, 1, 0, 6),
            (3, 2, 2, 2, 9),
            (2, 3, 1, 1, 7),
            (5, 4, 6, 3, 31),
        ] {
            let window = Window {
                kernel: [kernel, 1],
                stride: [stride, 1],
                dilation: [dilation, 1],
                pad_start: [pad, 0],
                pad_end: [pad, 0],
            };
            let out = (input + 2 * pad - window.reach(0)) / stride + 1;
            let mut expected = vec![];
            for o in 0..out {
                for k in 0..kernel {
                    let i = (stride * o + dilation * k).wrapping_sub(pad);
                    if i < input {
                        expected.push((i, o, k));
                    }
                }
            }
            let mut met = vec![];
            for pass in Pass::gradient(&window, [input, 1]) {
                for j in 0..pass.grid[0] {
                    for t in 0..pass.taps.count[0] {
                        let o = j as isize + (t * pass.dilation[0]) as isize - pass.pad[0];
                        if (0..out as isize).contains(&o) {
                            let tap = pass.taps.first[0].wrapping_add_signed(pass.taps.step[0] * t as isize);
                            met.push((j * pass.step[0] + pass.offset[0], o as usize, tap));
                        }
                    }
                }
            }
            expected.sort_unstable();
            met.sort_unstable();
            assert_eq!(met, expected, "kernel {kernel}, stride {stride}, dilation {dilation}, padding {pad}");
        }
    }
}
