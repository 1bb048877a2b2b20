//! The sliding window of convolutions and pools.

/// A sliding window: kernel, stride, padding and dilation, each as `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Extent of the kernel.
    pub kernel: [usize; 2],
    /// Step between outputs.
    pub stride: [usize; 2],
    /// Zeros before the first row and column; a max pool ignores them.
    pub pad_start: [usize; 2],
    /// Zeros after the last row and column; a max pool ignores them.
    pub pad_end: [usize; 2],
    /// Distance between taps.
    pub dilation: [usize; 2],
}

impl Window {
    /// A square window with the same padding at both ends and no dilation.
    pub fn square(kernel: usize, stride: usize, pad: usize) -> Self {
        Self { kernel: [kernel; 2], stride: [stride; 2], pad_start: [pad; 2], pad_end: [pad; 2], dilation: [1; 2] }
    }

    /// TensorFlow's "SAME" padding: `ceil(in / stride)` outputs. If the padding is odd, the extra zero is at the end.
    pub fn same(kernel: usize, stride: usize, input: [usize; 2]) -> Self {
        let total = input.map(|n| ((n.div_ceil(stride) - 1) * stride + kernel).saturating_sub(n));
        Self { pad_start: total.map(|t| t / 2), pad_end: total.map(|t| t - t / 2), ..Self::square(kernel, stride, 0) }
    }

    /// Extent of the dilated kernel along `axis`.
    pub fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    /// Input extent along `axis` that `outputs` neighbouring outputs cover together.
    pub fn span(&self, axis: usize, outputs: usize) -> usize {
        (outputs - 1) * self.stride[axis] + self.reach(axis)
    }
}
