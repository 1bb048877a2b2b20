//! Shape inference: one arm for each operation.

use super::error::GraphError;
use super::op::{Contract, Form, Omission, Op, PoolKind};
use super::value::{Kind, Shape, Type};
use super::window::Window;

/// The most rows of a matrix whose eigenvector is looked for: `MOST` in `eigenvector.wgsl`.
pub const MOST_ROWS: usize = 1024;

/// The extents of an overlay's colours: red, green, blue and opacity, each 0 to 1, for 256 steps of heat.
pub const COLOURS: Shape = [1, 1, 256, 4];

/// The type of `op`'s value.
///
/// # Errors
/// [`GraphError::Shape`] if the operands' number, kind or extents do not fit.
pub fn infer(op: &Op, inputs: &[Type]) -> Result<Type, GraphError> {
    check(op, inputs).map_err(|reason| {
        let whole = format!("{op:?}");
        let name = whole.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        GraphError::Shape { op: name.to_owned(), module: String::new(), reason }
    })
}

fn check(op: &Op, inputs: &[Type]) -> Result<Type, String> {
    use Kind::{Features, Pixels, Plain};
    let kinds: &[Kind] = match op {
        Op::Input | Op::Constant { .. } | Op::Masks { .. } => &[],
        Op::Normalise { .. } => &[Pixels],
        Op::Pack => &[Plain],
        Op::Select => &[Features, Plain],
        Op::Add | Op::Concat | Op::Gate | Op::WeightedSum(_) | Op::Rescale(_) => &[Features, Features],
        Op::ChannelWeights { .. } | Op::Orient | Op::Stack | Op::Noise { .. } => &[Features, Features],
        Op::ActivateGrad(_) | Op::Pool2dGrad(_) | Op::GateGrad | Op::LayerNormGrad(_) => &[Features, Features],
        Op::Broadcast(_) | Op::Contract(_) | Op::SoftmaxGrad => &[Features, Features],
        Op::Overlay(_) => &[Features, Pixels, Plain],
        Op::ClassOuter { .. } => &[Features, Features, Features],
        _ => &[Features],
    };
    if inputs.iter().map(|t| t.kind).ne(kinds.iter().copied()) {
        return Err(format!("takes {kinds:?}, was given {:?}", inputs.iter().map(|t| t.kind).collect::<Vec<_>>()));
    }
    let shape = |i: usize| inputs[i].shape;
    let features = |shape| Ok(Type { kind: Features, shape });
    match op {
        Op::Input => Err("an input has no operands to infer from".into()),
        Op::Normalise { mean, std } => {
            let ([n, c, h, w], channels) = (shape(0), mean.len());
            require(c == 3, || format!("takes 3 channels, was given {c}"))?;
            require([1, 3].contains(&channels) && std.len() == channels, || {
                format!("cannot make {channels} channels")
            })?;
            features([n, channels, h, w])
        }
        Op::Pack | Op::Mirror | Op::ScaleShift { .. } | Op::Activate(_) | Op::LayerNorm(_) | Op::Softmax => {
            features(shape(0))
        }
        Op::Constant { shape: [c, h, w], .. } => features([1, *c, *h, *w]),
        Op::Rearrange(moves) => features(moves.shape(shape(0))?),
        Op::Broadcast(_) => {
            divides(shape(1)[0], shape(0)[0])?;
            let fits = (1..4).all(|axis| [1, shape(0)[axis]].contains(&shape(1)[axis]));
            require(fits, || format!("{:?} does not repeat to {:?}", shape(1), shape(0)))?;
            features(shape(0))
        }
        Op::Contract(contract) => features(contract.shape(shape(0), shape(1))?),
        Op::Unpack => Ok(Type { kind: Plain, shape: shape(0) }),
        Op::Conv2d(conv) => {
            let [n, c, h, w] = shape(0);
            let g = conv.groups;
            require(g > 0 && c % g == 0 && conv.out_channels % g == 0, || {
                format!("{c} channels in and {} out do not divide into {g} groups", conv.out_channels)
            })?;
            let [oh, ow] = windowed(&conv.window, [h, w], false)?;
            features([n, conv.out_channels, oh, ow])
        }
        Op::Linear(linear) => features([shape(0)[0], linear.out_features, 1, 1]),
        Op::Add => {
            require(shape(0) == shape(1), || format!("{:?} and {:?} differ", shape(0), shape(1)))?;
            features(shape(0))
        }
        Op::Concat => {
            let ([n, a, h, w], [m, b, ..]) = (shape(0), shape(1));
            require(n == m && shape(1)[2..] == [h, w], || format!("{:?} and {:?} differ", shape(0), shape(1)))?;
            features([n, a + b, h, w])
        }
        Op::Slice { start, channels } => {
            let [n, c, h, w] = shape(0);
            require(start + channels <= c, || format!("only {c} channels"))?;
            features([n, *channels, h, w])
        }
        Op::SliceGrad { start, channels } => {
            let [n, c, h, w] = shape(0);
            require(start + c <= *channels, || format!("only {channels} channels"))?;
            features([n, *channels, h, w])
        }
        Op::Shuffle { groups } => {
            divides(*groups, shape(0)[1])?;
            features(shape(0))
        }
        Op::Gate => {
            let [m, c, ..] = shape(0);
            divides(shape(1)[0], m)?;
            require(shape(1)[1..] == [c, 1, 1], || format!("gate {:?} does not fit", shape(1)))?;
            features(shape(0))
        }
        Op::AdaptivePool { to } => features([shape(0)[0], shape(0)[1], to[0], to[1]]),
        Op::AdaptivePoolGrad { from } => features([shape(0)[0], shape(0)[1], from[0], from[1]]),
        Op::Pool2d(pool) => {
            let [n, c, h, w] = shape(0);
            let [oh, ow] = windowed(&pool.window, [h, w], pool.ceil_mode)?;
            if pool.kind == PoolKind::Max {
                let pad = |a: usize| pool.window.pad_start[a].max(pool.window.pad_end[a]);
                let whole = (0..2).all(|a| pad(a) * 2 <= pool.window.kernel[a]);
                require(whole, || "padding is over half the kernel".into())?;
            }
            require(pool.window.dilation == [1, 1], || "pooling is not dilated".into())?;
            features([n, c, oh, ow])
        }
        Op::Mean => features([shape(0)[0], shape(0)[1], 1, 1]),
        Op::Select => {
            let [n, requests, ..] = shape(1);
            require(n == shape(0)[0] && shape(0)[2..] == [1, 1], || {
                format!("logits {:?} and requests {:?} do not fit", shape(0), shape(1))
            })?;
            features([n * requests, 4, 1, 1])
        }
        Op::Seed { classes, requests, maps } => {
            divides(*requests, shape(0)[0])?;
            require(maps <= requests, || format!("{maps} maps of {requests} records"))?;
            features([shape(0)[0] / requests * maps, *classes, 1, 1])
        }
        Op::ClassWeights(class) => {
            divides(class.requests, shape(0)[0])?;
            require(class.maps <= class.requests, || format!("{} maps of {} records", class.maps, class.requests))?;
            let [c, h, w] = class.input;
            features([shape(0)[0] / class.requests * class.maps, c, h, w])
        }
        Op::ClassOuter { requests, maps } => {
            let ([m, c, ..], [d, _, h, w]) = (shape(0), shape(1));
            require(m == d && shape(2)[0] * maps == m * requests, || format!("{m} weights for {d} maps"))?;
            features([m, c, h, w])
        }
        Op::Conv2dGrad { conv, input, in_channels } => {
            let [m, c, h, w] = shape(0);
            let forward = windowed(&conv.window, *input, false)?;
            require(c == conv.out_channels && forward == [h, w], || format!("gradient {:?} does not fit", shape(0)))?;
            features([m, *in_channels, input[0], input[1]])
        }
        Op::LinearGrad { input, .. } => features([shape(0)[0], input[0], input[1], input[2]]),
        Op::ActivateGrad(_) | Op::LayerNormGrad(_) | Op::GateGrad | Op::SoftmaxGrad => {
            divides(shape(1)[0], shape(0)[0])?;
            require(shape(0)[1..] == shape(1)[1..], || format!("{:?} and {:?} differ", shape(0), shape(1)))?;
            let [m, c, ..] = shape(0);
            features(if *op == Op::GateGrad { [m, c, 1, 1] } else { shape(0) })
        }
        Op::Pool2dGrad(pool) => {
            divides(shape(1)[0], shape(0)[0])?;
            let [_, c, h, w] = shape(1);
            let forward = windowed(&pool.window, [h, w], pool.ceil_mode)?;
            require(shape(0)[1] == c && shape(0)[2..] == forward, || format!("gradient {:?} does not fit", shape(0)))?;
            features([shape(0)[0], c, h, w])
        }
        Op::MeanGrad { input } => features([shape(0)[0], shape(0)[1], input[0], input[1]]),
        Op::WeightedSum(_) => {
            let [n, c, h, w] = shape(0);
            divides(n, shape(1)[0])?;
            let fits = shape(1)[1..] == [c, 1, 1] || shape(1)[1..] == [c, h, w];
            require(fits, || format!("weights {:?} do not fit {:?}", shape(1), shape(0)))?;
            features([shape(1)[0], 1, h, w])
        }
        Op::ChannelWeights { .. } => {
            let ([n, c, ..], [m, ..]) = (shape(0), shape(1));
            divides(n, m)?;
            require(shape(0)[1..] == shape(1)[1..], || format!("{:?} and {:?} differ", shape(0), shape(1)))?;
            features([m, c, 1, 1])
        }
        Op::PlaneMax => features([shape(0)[0], shape(0)[1], 1, 1]),
        Op::Magnitude => features([shape(0)[0], 1, shape(0)[2], shape(0)[3]]),
        Op::Eigenvector { .. } => {
            let [m, d, h, w] = shape(0);
            require(h * w == d, || format!("{:?} holds no square matrix", shape(0)))?;
            require(d <= MOST_ROWS, || format!("a matrix of {d} rows; {MOST_ROWS} are supported"))?;
            features([m, d, 1, 1])
        }
        Op::Orient | Op::Noise { .. } => {
            require(shape(1) == [shape(0)[0], 4, 1, 1], || format!("range {:?} does not fit", shape(1)))?;
            features(shape(0))
        }
        Op::Unfold => features([shape(0)[0] * shape(0)[1], 1, shape(0)[2], shape(0)[3]]),
        Op::Columns { count } => {
            let [m, c, h, w] = shape(0);
            divides(*count, m)?;
            require([h, w] == [1, 1], || format!("{:?} has several pixels", shape(0)))?;
            features([m / count, c, 1, *count])
        }
        Op::Vary { omission, first, count } => {
            let [n, c, h, w] = shape(0);
            let most = if *omission == Omission::Channel { c } else { h * w };
            require(*count > 0 && first + count <= most, || format!("only {most} to leave out"))?;
            features([n * count, c, h, w])
        }
        Op::Masks { images, count, size: [h, w], .. } => {
            require(images * count * h * w > 0, || "no masks".into())?;
            features([*images, *count, *h, *w])
        }
        Op::Stack => {
            let [m, c, h, w] = shape(0);
            require(shape(1)[1..] == [c, h, w], || format!("{:?} and {:?} differ", shape(0), shape(1)))?;
            features([m + shape(1)[0], c, h, w])
        }
        Op::MinMax | Op::ResizedRange { .. } | Op::Percentile { .. } => features([shape(0)[0], 4, 1, 1]),
        Op::Rescale(_) => {
            require(shape(1) == [shape(0)[0], 4, 1, 1], || format!("range {:?} does not fit", shape(1)))?;
            features(shape(0))
        }
        Op::Resize { to, .. } => features([shape(0)[0], shape(0)[1], to[0], to[1]]),
        Op::Overlay(overlay) => {
            let [maps, ..] = shape(0);
            require(overlay.map < maps, || format!("only {maps} maps"))?;
            require(shape(2) == COLOURS, || format!("colours {:?}", shape(2)))?;
            Ok(Type { kind: Pixels, shape: shape(1) })
        }
    }
}

impl Contract {
    fn shape(&self, a: Shape, b: Shape) -> Result<Shape, String> {
        let ([na, ca, ha, wa], [nb, cb, hb, wb], g) = (a, b, self.groups);
        let (n, pixels_b) = (na.max(nb), hb * wb);
        let fail = || format!("{a:?} and {b:?} do not meet in {self:?}");
        require(g > 0 && ca % g == 0 && cb % g == 0 && n % na == 0 && n % nb == 0, fail)?;
        match self.form {
            Form::Channels => require(ca == cb, fail).map(|()| [n, g * pixels_b, ha, wa]),
            Form::Across => require(ca / g == pixels_b, fail).map(|()| [n, cb, ha, wa]),
            Form::Pixels([h, w]) => require([ha, wa] == [hb, wb] && h * w == cb / g, fail).map(|()| [n, ca, h, w]),
        }
    }
}

fn require(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}

fn divides(n: usize, maps: usize) -> Result<(), String> {
    require(n > 0 && maps.is_multiple_of(n), || format!("{maps} do not divide into {n}"))
}

/// Output extents of a window by PyTorch's rule. With `ceil_mode`, the last window must begin inside the input or the
/// padding at the start.
fn windowed(window: &Window, input: [usize; 2], ceil_mode: bool) -> Result<[usize; 2], String> {
    let mut output = [0; 2];
    for axis in 0..2 {
        let padded = input[axis] + window.pad_start[axis] + window.pad_end[axis];
        let stride = window.stride[axis];
        require(window.kernel[axis] > 0 && stride > 0 && window.dilation[axis] > 0, || "empty window".into())?;
        let Some(room) = padded.checked_sub(window.reach(axis)) else {
            return Err(format!("input {}×{} is smaller than the window", input[0], input[1]));
        };
        output[axis] = room / stride + 1;
        if ceil_mode && room % stride != 0 && output[axis] * stride < input[axis] + window.pad_start[axis] {
            output[axis] += 1;
        }
    }
    Ok(output)
}
