//! The operations of a network, of its backward pass and of the Grad-CAM tail.

use super::value::ParamId;

/// A two-dimensional convolution, as `torch.nn.Conv2d`, with explicit top/left padding so that the
/// asymmetric "same" padding of TensorFlow's networks fits in.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv2d {
    /// `[out, in / groups, kernel_h, kernel_w]`.
    pub weight: ParamId,
    /// `[out]`.
    pub bias: Option<ParamId>,
    /// Output channels.
    pub out_channels: usize,
    /// The window over the input.
    pub window: Window,
    /// Channel groups; equal to the channels for a depthwise convolution.
    pub groups: usize,
}

impl Conv2d {
    /// Whether it is a product over all channels of each pixel.
    pub fn is_pointwise(&self) -> bool {
        self.window == Window::square(1, 1, 0) && self.groups == 1
    }

    /// Whether each of `input` channels makes one output by itself.
    pub fn is_depthwise(&self, input: usize) -> bool {
        self.groups == input && self.groups == self.out_channels
    }
}

/// A sliding window: kernel, stride, padding and dilation, each as `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Extent of the kernel.
    pub kernel: [usize; 2],
    /// Step between outputs.
    pub stride: [usize; 2],
    /// Zeros before the first row and column.
    pub pad_start: [usize; 2],
    /// Zeros after the last row and column.
    pub pad_end: [usize; 2],
    /// Distance between taps.
    pub dilation: [usize; 2],
}

impl Window {
    /// A square window with symmetric padding and no dilation.
    pub fn square(kernel: usize, stride: usize, pad: usize) -> Self {
        Self { kernel: [kernel; 2], stride: [stride; 2], pad_start: [pad; 2], pad_end: [pad; 2], dilation: [1; 2] }
    }

    /// TensorFlow's "SAME": `ceil(in / stride)` outputs, the odd zero at the end.
    pub fn same(kernel: usize, stride: usize, input: [usize; 2]) -> Self {
        let total = input.map(|n| ((n.div_ceil(stride) - 1) * stride + kernel).saturating_sub(n));
        Self { pad_start: total.map(|t| t / 2), pad_end: total.map(|t| t - t / 2), ..Self::square(kernel, stride, 0) }
    }

    /// Extent of the dilated kernel along `axis`.
    pub fn reach(&self, axis: usize) -> usize {
        (self.kernel[axis] - 1) * self.dilation[axis] + 1
    }

    /// Extent along `axis` of the windows of so many neighbouring outputs.
    pub fn span(&self, axis: usize, outputs: usize) -> usize {
        (outputs - 1) * self.stride[axis] + self.reach(axis)
    }
}

/// A fully connected layer over a whole feature map, flattened in PyTorch's order (channel, row, column).
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: ParamId,
    /// `[out]`.
    pub bias: Option<ParamId>,
    /// Output features.
    pub out_features: usize,
}

/// Element-wise activation functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `max(x, 0)`, with derivative 0 at 0.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x · sigmoid(x)`.
    Silu,
    /// `relu6(x + 3) / 6`.
    HardSigmoid,
    /// `x · hard_sigmoid(x)`.
    HardSwish,
    /// `x · Φ(x)` with the normal distribution's Φ, the exact form.
    Gelu,
}

impl Activation {
    /// Every activation, for tests and tables.
    pub const ALL: [Self; 7] =
        [Self::Relu, Self::Relu6, Self::Sigmoid, Self::Silu, Self::HardSigmoid, Self::HardSwish, Self::Gelu];

    /// Whether it never falls: the greatest value is that of the greatest `x`.
    pub fn grows(self) -> bool {
        matches!(self, Self::Relu | Self::Relu6 | Self::Sigmoid | Self::HardSigmoid)
    }

    /// Whether the derivative is taken from the output (`true`) or from the input of the function.
    /// Taking it from the output lets the input go as soon as the function has run.
    pub fn saves_output(self) -> bool {
        !matches!(self, Self::Silu | Self::HardSwish | Self::Gelu)
    }
}

/// What a pooling window computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest element; the first in row-major order takes the gradient.
    Max,
    /// The mean, with or without the padding's zeros in the divisor.
    Average {
        /// `count_include_pad` of `torch.nn.AvgPool2d`.
        count_include_pad: bool,
    },
}

/// Max or average pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2d {
    /// What the window computes.
    pub kind: PoolKind,
    /// The window; dilation is 1.
    pub window: Window,
    /// Rounds the output size up, as `torch.nn.MaxPool2d(ceil_mode=True)`.
    pub ceil_mode: bool,
}

/// Layer normalisation over the channels of each pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm {
    /// `[c]`.
    pub weight: ParamId,
    /// `[c]`.
    pub bias: ParamId,
    /// Added to the variance.
    pub eps: f32,
}

impl Pool2d {
    /// `torch.nn.MaxPool2d`.
    pub fn max(kernel: usize, stride: usize, pad: usize, ceil_mode: bool) -> Op {
        Op::Pool2d(Self { kind: PoolKind::Max, window: Window::square(kernel, stride, pad), ceil_mode })
    }

    /// `torch.nn.AvgPool2d`, which counts its padding.
    pub fn average(kernel: usize, stride: usize, pad: usize) -> Op {
        let kind = PoolKind::Average { count_include_pad: true };
        Op::Pool2d(Self { kind, window: Window::square(kernel, stride, pad), ceil_mode: false })
    }
}

/// Rows of a linear layer's weight, one for each image's first `maps` selected classes.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassWeights {
    /// The layer.
    pub linear: Linear,
    /// Its input's channels, height and width.
    pub input: [usize; 3],
    /// Records of an image.
    pub requests: usize,
    /// How many of them, from the first on, are explained.
    pub maps: usize,
    /// A factor.
    pub scale: f32,
}

/// Where and how a heat map is laid over a photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlay {
    /// Index of the map in the batch of maps.
    pub map: usize,
    /// The part of the photo that the network saw: left, top, width, height in photo pixels.
    pub crop: [f32; 4],
    /// Opacity of the colours, 0 to 1.
    pub alpha: f32,
    /// 256 colours, R in the lowest byte.
    pub colormap: Box<[u32; 256]>,
}

/// One operation. Comments give `(inputs) -> output` with shapes; `m = n · k` counts maps, `k` the classes
/// explained per image, and an operand with `n` images serves `k` successive maps each.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Values that the caller gives for each run.
    Input,
    /// `(pixels [n,3,h,w]) -> features`: `(rgb / 255 - mean) / std`.
    Normalise {
        /// Per channel, in units of 0..1.
        mean: [f32; 3],
        /// Per channel, in units of 0..1.
        std: [f32; 3],
    },
    /// `(plain) -> features`.
    Pack,
    /// `(features) -> plain`.
    Unpack,

    /// `(x) -> y`.
    Conv2d(Conv2d),
    /// `(x [n,c,h,w]) -> x · scale[c] + shift[c]`: a batch norm in evaluation mode.
    ScaleShift {
        /// `[c]`.
        scale: ParamId,
        /// `[c]`; none in the backward pass.
        shift: Option<ParamId>,
    },
    /// `(x [n,c,h,w]) -> [n,out,1,1]`.
    Linear(Linear),
    /// `(x) -> f(x)`.
    Activate(Activation),
    /// `(a, b) -> a + b`.
    Add,
    /// `(a, b) -> ` the channels of `a`, then those of `b`.
    Concat,
    /// `(x) -> ` the channels from `start` on, as many as said.
    Slice {
        /// First channel.
        start: usize,
        /// Number of channels.
        channels: usize,
    },
    /// `(x) -> ` channel `j · groups + i` from channel `i · c / groups + j`: ShuffleNet's channel shuffle.
    Shuffle {
        /// Number of groups.
        groups: usize,
    },
    /// `(x [m,c,h,w], s [n,c,1,1]) -> x · s`, a squeeze-excitation's gate.
    Gate,
    /// `(x [n,c,h,w]) -> [n,c,h,w]`, normalised over `c` at each pixel.
    LayerNorm(LayerNorm),
    /// `(x) -> y`.
    Pool2d(Pool2d),
    /// `(x) -> [n,c,to]`: mean over windows from `⌊o·in/out⌋` to `⌈(o+1)·in/out⌉`.
    AdaptivePool {
        /// Height and width of the output.
        to: [usize; 2],
    },
    /// `(x [n,c,h,w]) -> [n,c,1,1]`: mean over space, both global pooling and Grad-CAM's weights.
    Mean,

    /// `(logits [n,c,1,1], requests plain [n,k,1,1]) -> [n·k,4,1,1]`: class, logit, softmax probability, count of the
    /// image's logits that are not finite. A request is a class index, or negative for the next most probable class.
    Select,
    /// `(selection) -> [m,c,1,1]`: one-hot rows, the derivative of each image's first `maps` selected logits.
    Seed {
        /// Number of logits.
        classes: usize,
        /// Records of an image.
        requests: usize,
        /// How many of them, from the first on, are explained.
        maps: usize,
    },

    /// `(selection) -> [m,c,h,w]`: the gradient of a classifier for a single logit of each map, see `simplify.rs`.
    ClassWeights(ClassWeights),
    /// `(weights [m,c,1,1], dy [m,classes,h,w], selection) -> [m,c,h,w]`: `weights · dy` of the class that each map
    /// explains, of `maps` maps of each image.
    ClassOuter {
        /// Records of an image.
        requests: usize,
        /// How many of them, from the first on, are explained.
        maps: usize,
    },

    /// `(dy) -> dx` of a convolution whose input was `h` × `w`.
    Conv2dGrad {
        /// The forward convolution.
        conv: Conv2d,
        /// Height and width of its input.
        input: [usize; 2],
        /// Channels of its input.
        in_channels: usize,
    },
    /// `(dy) -> dx` of a linear layer whose input was `[c,h,w]`.
    LinearGrad {
        /// The forward layer.
        linear: Linear,
        /// Its input's channels, height and width.
        input: [usize; 3],
    },
    /// `(dy, saved) -> dy · f'`; `saved` is the output or the input, see [`Activation::saves_output`].
    ActivateGrad(Activation),
    /// `(dy, x) -> dx`.
    Pool2dGrad(Pool2d),
    /// `(dy) -> dx` of an adaptive pool whose input was `from`.
    AdaptivePoolGrad {
        /// Height and width of its input.
        from: [usize; 2],
    },
    /// `(dy) -> ` `dy` as the channels from `start` on of `channels`, zeros elsewhere.
    SliceGrad {
        /// First channel.
        start: usize,
        /// Channels of the forward input.
        channels: usize,
    },
    /// `(dy [m,c,h,w], x [n,c,h,w]) -> [m,c,1,1]`: `Σ_p dy · x`, a gate's own gradient.
    GateGrad,
    /// `(dy, x) -> dx`.
    LayerNormGrad(LayerNorm),
    /// `(dy [m,c,1,1]) -> dy / (h·w)` spread over `h` × `w`.
    MeanGrad {
        /// Height and width of the forward input.
        input: [usize; 2],
    },

    /// `(a [n,c,h,w], weights [m,c,1,1]) -> [m,1,h,w]`: `Σ_c weights · a`, Grad-CAM's raw map.
    WeightedSum,
    /// `(map [m,1,h,w]) -> [m,4,1,1]`: least and greatest value, count of non-finite values, 0.
    MinMax,
    /// `(map [m,1,h,w]) -> [m,4,1,1]`: least and greatest finite value of the map resized, 0, 0.
    ResizedRange {
        /// Height and width of the resized map.
        to: [usize; 2],
    },
    /// `(map, its min_max) -> (f(map) - f(min)) / (f(max) - f(min) + 1e-7)`.
    Rescale {
        /// Whether f is `max(·, 0)`, Grad-CAM's ReLU, or nothing.
        positive: bool,
    },
    /// `(map) -> [m,1,height,width]`: bilinear, half-pixel centres, no antialiasing.
    Resize {
        /// Target height and width.
        to: [usize; 2],
    },
    /// `(heatmap, photo) -> pixels` of the photo's size.
    Overlay(Overlay),
}
