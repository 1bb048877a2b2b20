//! The operations of a network, of its backward pass and of the Grad-CAM tail.

use super::activation::Activation;
use super::rearrange::Rearrange;
use super::value::ParamId;
use super::window::Window;

/// A two-dimensional convolution, as `torch.nn.Conv2d`. Padding at the start and at the end is given separately, so
/// that the asymmetric "same" padding of TensorFlow's networks can be expressed.
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
    /// Number of channel groups. A depthwise convolution has as many groups as channels.
    pub groups: usize,
}

impl Conv2d {
    /// Whether this is a 1×1 convolution over all channels of each pixel, with stride 1 and without padding.
    pub fn is_pointwise(&self) -> bool {
        self.window == Window::square(1, 1, 0) && self.groups == 1
    }

    /// Whether each of the `input` channels makes one output channel on its own.
    pub fn is_depthwise(&self, input: usize) -> bool {
        self.groups == input && self.groups == self.out_channels
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

/// What a pooling window computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest element. Among equal elements, the first in row-major order takes the gradient.
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
    /// The window. Its dilation is 1.
    pub window: Window,
    /// Rounds the output size up, as `torch.nn.MaxPool2d(ceil_mode=True)`.
    pub ceil_mode: bool,
}

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// The sum.
    Add,
    /// The product.
    Multiply,
}

/// A product of two matrices in each of `groups` groups of channels. A feature map is a matrix of channels and pixels.
/// The gradients of each form are the other forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Which axes meet.
    pub form: Form,
    /// Groups of channels.
    pub groups: usize,
}

/// The axes of `a` and `b` that meet in a [`Contract`], and the shape of the result. `i` counts the channels of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `y[j, p] = Σ_i a[i, p] · b[i, j]`: channels meet channels. Pixels of `b` become channels.
    Channels,
    /// `y[i, p] = Σ_j a[j, p] · b[i, j]`: channels of `a` meet pixels of `b`.
    Across,
    /// `y[i, j] = Σ_p a[i, p] · b[j, p]`: pixels meet pixels. Channels of `b` become pixels, of this height and width.
    Pixels([usize; 2]),
}

/// The most values of a map that an [`Op::Percentile`] looks at. More steps would be lost on lavapipe.
pub const SAMPLE: usize = 1 << 19;

/// How a [`Op::Rescale`] scales a map's values `v` by the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// `(p - min p) / (max p - min p + 1e-7)` with `p = max(v, 0)`, Grad-CAM's ReLU.
    Positive,
    /// `(v - min) / (max - min + 1e-7)`.
    Whole,
    /// `max(v, 0) / max`, at most 1.
    ToGreatest,
    /// `v / max |v|`, in -1..1.
    Signed,
}

/// What a pixel of a resized map is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// Its four neighbours, where the maps' corners meet: torch's `bilinear`.
    #[default]
    Linear,
    /// Its four neighbours, where the corners' centres meet: torch's `bilinear` with `align_corners=True`.
    Corners,
    /// One pixel: torch's `nearest`.
    Nearest,
    /// Its sixteen neighbours, by Pillow's cubic (a = -½). Those outside do not count.
    Cubic,
}

/// What a [`Op::WeightedSum`] adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// `weight · a`.
    Product,
    /// `max(weight, 0) · a`.
    PositiveWeight,
    /// `max(weight · a, 0)`.
    PositiveProduct,
}

/// What a [`Op::Vary`] leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omission {
    /// One channel.
    Channel,
    /// All pixels but one.
    OtherPixels,
}

/// What masks hide or show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// 1 in a square, which is cut off at the image's edges.
    Square {
        /// Its side.
        side: usize,
        /// Distance of neighbouring squares.
        step: usize,
        /// Squares in a row.
        across: usize,
    },
    /// A grid of [`CELLS`] cells along each side, each 0 or 1 by chance, enlarged by bilinear interpolation to one cell more than
    /// the image and shifted by up to a cell.
    Grid {
        /// Which chance, see [`super::key`].
        key: u32,
    },
}

/// Cells along a side of a random mask.
pub const CELLS: usize = 7;

/// How a [`Op::ChannelWeights`] weighs a channel by its activations `a` and their gradient `g`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighing {
    /// `Σ_p max(g, 0) · g² / (2 g² + g³ · Σ_q a + eps)`.
    PlusPlus,
    /// `Σ_p g · a / (Σ_p a + eps)`.
    Share,
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

/// Rows of a linear layer's weight: one for each of the first `maps` selected classes of each image.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassWeights {
    /// The layer.
    pub linear: Linear,
    /// Its input's channels, height and width.
    pub input: [usize; 3],
    /// Records per image.
    pub requests: usize,
    /// How many of them, from the first on, get a map.
    pub maps: usize,
    /// Factor on the rows.
    pub scale: f32,
}

/// Where and how a heat map is laid over a photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlay {
    /// Index of the map in the batch.
    pub map: usize,
    /// The part of the photo that the network saw: left, top, width, height in photo pixels.
    pub crop: [f32; 4],
    /// Whether heat is in -1..1 and not in 0..1.
    pub signed: bool,
}

/// One operation. Comments give `(inputs) -> output` with shapes. `m = n · k` is the number of maps, and `k` is the
/// number of classes explained per image. An operand with `n` images serves `k` successive maps per image.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Values that the caller passes at each run.
    Input,
    /// `(pixels [n,3,h,w]) -> features [n,c,h,w]`: `(rgb / 255 - mean) / std` of the first `c` colours, one or three.
    Normalise {
        /// Per channel, in units of 0..1.
        mean: Vec<f32>,
        /// Per channel, in units of 0..1.
        std: Vec<f32>,
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
        /// `[c]`. The backward pass has none.
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
    /// `(x) -> ` `channels` channels, beginning at `start`.
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
    /// `(x [m,c,h,w], s [n,c,1,1]) -> x · s`: the gate of a squeeze-excitation block.
    Gate,
    /// `(x [n,c,h,w]) -> [n,c,h,w]`, normalised over `c` at each pixel.
    LayerNorm(LayerNorm),
    /// `(x) -> y`.
    Pool2d(Pool2d),
    /// `(x) -> [n,c,to]`: mean over windows from `⌊o·in/out⌋` to `⌈(o+1)·in/out⌉` for output `o`.
    AdaptivePool {
        /// Height and width of the output.
        to: [usize; 2],
    },
    /// `(x [n,c,h,w]) -> [n,c,1,1]`: mean over space. It is global pooling, and also gives Grad-CAM's weights.
    Mean,
    /// `() -> [1,c,h,w]`: trained numbers that are an operand of a [`Op::Broadcast`] or the like.
    Constant {
        /// `[c,h,w]`.
        values: ParamId,
        /// Channels, height and width.
        shape: [usize; 3],
    },
    /// `(x) -> y`: numbers moved, repeated or added.
    Rearrange(Rearrange),
    /// `(a [m,c,h,w], b [n,c or 1,h or 1,w or 1]) -> a + b` or `a · b`, where `b` is repeated.
    Broadcast(Arithmetic),
    /// `(a, b) -> y`: products of matrices.
    Contract(Contract),
    /// `(x) -> exp(x) / Σ_p exp(x)` over the pixels of each channel.
    Softmax,

    /// `(logits [n,c,1,1], requests plain [n,k,1,1]) -> [n·k,4,1,1]`: class, logit, softmax probability, number of
    /// the image's logits that are not finite. A request is a class index; a negative one asks for the next most
    /// probable class.
    Select,
    /// `(selection) -> [m,c,1,1]`: one-hot rows, the derivative of each image's first `maps` selected logits.
    Seed {
        /// Number of logits.
        classes: usize,
        /// Records per image.
        requests: usize,
        /// How many of them, from the first on, get a map.
        maps: usize,
    },

    /// `(selection) -> [m,c,h,w]`: the gradient of a classifier whose output gradient is one-hot, see `simplify.rs`.
    ClassWeights(ClassWeights),
    /// `(weights [m,c,1,1], dy [m,classes,h,w], selection) -> [m,c,h,w]`: `weights · dy[class]`, where `class` is the
    /// class that the map explains.
    ClassOuter {
        /// Records per image.
        requests: usize,
        /// How many of them, from the first on, get a map.
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
    /// `(dy) -> dx` with `channels` channels: `dy` from channel `start` on, zeros elsewhere.
    SliceGrad {
        /// First channel.
        start: usize,
        /// Channels of the forward input.
        channels: usize,
    },
    /// `(dy [m,c,h,w], x [n,c,h,w]) -> [m,c,1,1]`: `Σ_p dy · x`, the gradient of a gate's factors.
    GateGrad,
    /// `(dy, x) -> dx`.
    LayerNormGrad(LayerNorm),
    /// `(dy, y) -> dx = y · (dy - Σ_p dy · y)`.
    SoftmaxGrad,
    /// `(dy [m,c,1,1]) -> dy / (h·w)`, repeated over `h` × `w`.
    MeanGrad {
        /// Height and width of the forward input.
        input: [usize; 2],
    },

    /// `(a [n,c,h,w], weights [m,c,1,1] or [m,c,h,w]) -> [m,1,h,w]`: the sum over channels, a raw map.
    WeightedSum(Term),
    /// `(a [n,c,h,w], dy [m,c,h,w]) -> [m,c,1,1]`.
    ChannelWeights {
        /// The formula.
        weighing: Weighing,
        /// Keeps its divisor from 0.
        eps: f32,
    },
    /// `(x [m,c,h,w]) -> [m,c,1,1]`: the greatest number over space.
    PlaneMax,
    /// `(x [m,c,h,w]) -> [m,1,h,w]`: `max_c |x|`.
    Magnitude,
    /// `(matrix [m,d,h,w]) -> [m,d,1,1]`: the eigenvector of the greatest eigenvalue of a symmetric matrix, where `d = h·w`.
    Eigenvector {
        /// Whether eigenvalues may be negative.
        indefinite: bool,
        /// Whether the vector's length is the root of its eigenvalue, or 1.
        root: bool,
    },
    /// `(map [m,1,h,w], its min_max) -> ` the map with the sign that makes its greatest magnitude positive.
    Orient,
    /// `(x [n,c,h,w]) -> [n·c,1,h,w]`: channels as images.
    Unfold,
    /// `(x [n·count,c,1,1]) -> [n,c,1,count]`: images as columns.
    Columns {
        /// How many images become columns of one.
        count: usize,
    },
    /// `(x [n,c,h,w]) -> [n·count,c,h,w]`: each image several times, where image `b` of them lacks channel `first + b`, or
    /// all pixels but `first + b`, in row-major order.
    Vary {
        /// What is left out.
        omission: Omission,
        /// Of the first image.
        first: usize,
        /// Images made of one.
        count: usize,
    },
    /// `() -> [n,count,h,w]`: masks as channels, the same for all images.
    Masks {
        /// What they hide or show.
        mask: Mask,
        /// Images.
        images: usize,
        /// Number of the first mask.
        first: usize,
        /// How many masks.
        count: usize,
        /// Height and width.
        size: [usize; 2],
    },
    /// `(x) -> ` x with its columns in reverse.
    Mirror,
    /// `(a [m,c,h,w], b [k,c,h,w]) -> [m+k,c,h,w]`: the images of `a`, then those of `b`.
    Stack,
    /// `(x [n,c,h,w], the images' min_max [n,4,1,1]) -> x + deviation · (greatest - least) · N`, where N is Gaussian noise of
    /// this [`super::key`].
    Noise {
        /// Which noise.
        key: u32,
        /// Its standard deviation, as a part of the image's range.
        deviation: f32,
    },
    /// `(map [m,1,h,w]) -> [m,4,1,1]`: least value, greatest value, number of values that are not finite, 0.
    MinMax,
    /// `(map [m,1,h,w]) -> [m,4,1,1]`: least and greatest finite value of the resized map, 0, 0.
    ResizedRange {
        /// Height and width of the resized map.
        to: [usize; 2],
    },
    /// `(map, its min_max) -> ` the map scaled by its least and greatest value.
    Rescale(Scaling),
    /// `(map [m,1,h,w]) -> [m,4,1,1]`: 0, the number that this part of `max(map, 0)` does not exceed, 0, 0. Of a map of over
    /// [`SAMPLE`] values, every second or third, and so on.
    Percentile {
        /// Of 0..1.
        part: f32,
    },
    /// `(map) -> [m,1,height,width]`, without antialiasing.
    Resize {
        /// Target height and width.
        to: [usize; 2],
        /// What a pixel is made of.
        by: Interpolation,
    },
    /// `(heatmap, photo) -> pixels` with the photo's size.
    Overlay(Overlay),
}
