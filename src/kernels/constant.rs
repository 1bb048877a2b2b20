//! Trained numbers in the layout that a kernel reads.

use std::ops::Range;

use crate::graph::{Graph, ParamId};

/// Four numbers: the unit of every kernel's loads.
pub type Texel = [f32; 4];

/// A weight, and what is added after it, packed for a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// The weight.
    pub weight: ParamId,
    /// The bias or shift; zeros if there is none.
    pub bias: Option<ParamId>,
    /// The layout.
    pub packing: Packing,
    /// Which of the layout's rows: all of them, or a piece of a large weight. A row is a register tile of a
    /// convolution, four outputs of a linear layer, a block of channels of the others.
    pub rows: Range<usize>,
}

/// The largest piece of a constant, in texels after the zero before them: 128 MiB, the smallest binding that
/// devices allow.
const MAX_TEXELS: usize = (128 << 20) / 16 - 1;

/// How a constant's texels are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    /// A convolution's register tiles, see `conv.wgsl`. `gradient` swaps the channels' roles.
    Conv { out: usize, input: usize, weight_groups: usize, groups: usize, taps: usize, tile: usize, gradient: bool },
    /// One kernel a channel, see `depthwise.wgsl`.
    Depthwise { channels: usize, taps: usize },
    /// A matrix over the stored order of a `[c,h,w]` feature map, see `linear.wgsl`. `gradient` transposes.
    Linear { out: usize, input: [usize; 3], gradient: bool },
    /// One number a channel, see `scale_shift.wgsl`.
    Channels { channels: usize },
}

impl Packing {
    /// Rows in all, and texels of a row, those of the bias among them.
    fn extent(&self) -> (usize, usize) {
        match *self {
            Self::Conv { out, input, groups, taps, tile, .. } => {
                let tiles = groups * (out / groups).div_ceil(4).div_ceil(tile);
                (tiles, tile * (taps * (input / groups).div_ceil(4) * 4 + 1))
            }
            Self::Depthwise { channels, taps } => (channels.div_ceil(4), taps + 1),
            Self::Linear { out, input: [c, h, w], gradient } => {
                let (units, features) = (out.div_ceil(4), c.div_ceil(4) * h * w);
                if gradient { (features, units * 4 + 1) } else { (units, features * 4 + 1) }
            }
            Self::Channels { channels } => (channels.div_ceil(4), 2),
        }
    }
}

impl Constant {
    /// A weight in one piece.
    pub fn whole(weight: ParamId, bias: Option<ParamId>, packing: Packing) -> Self {
        Self { weight, bias, packing, rows: 0..packing.extent().0 }
    }

    /// A weight in pieces that any device can bind.
    pub fn pieces(weight: ParamId, bias: Option<ParamId>, packing: Packing) -> Vec<Self> {
        let (rows, size) = packing.extent();
        let most = (MAX_TEXELS / size).max(1);
        let piece = |first: usize| Self { weight, bias, packing, rows: first..rows.min(first + most) };
        (0..rows).step_by(most).map(piece).collect()
    }

    /// A name that equal constants of graphs of the same model share.
    pub fn key(&self, graph: &Graph) -> String {
        let bias = self.bias.map_or("", |b| &graph.params[b].name);
        format!("{} + {bias} {:?} {:?}", graph.params[self.weight].name, self.packing, self.rows)
    }

    /// Number of texels.
    pub fn texels(&self) -> usize {
        self.rows.len() * self.packing.extent().1
    }

    /// The texels.
    pub fn pack(&self, graph: &Graph) -> Vec<Texel> {
        let weight = graph.params[self.weight].values();
        let bias = self.bias.map(|b| graph.params[b].values());
        let bias = |channel: usize| bias.as_ref().and_then(|b| b.get(channel)).copied().unwrap_or(0.0);
        let mut texels = Vec::with_capacity(self.texels());
        match self.packing {
            Packing::Conv { out, input, weight_groups, groups, taps, tile, gradient } => {
                // The weight tensor is [forward out][forward in / weight_groups][taps]; channels of different groups do not meet.
                let (forward_out, forward_in) = if gradient { (input, out) } else { (out, input) };
                let (group_out, group_in) = (forward_out / weight_groups, forward_in / weight_groups);
                let at = |o: usize, i: usize, tap: usize| {
                    let (o, i) = if gradient { (i, o) } else { (o, i) };
                    if o / group_out == i / group_in { weight[(o * group_in + i % group_in) * taps + tap] } else { 0.0 }
                };
                let (out, input) = (out / groups, input / groups);
                let tiles = out.div_ceil(4).div_ceil(tile);
                let channels = |first: usize| std::array::from_fn::<_, 4, _>(|lane| first + lane);
                for (group, t) in self.rows.clone().map(|row| (row / tiles, row % tiles)) {
                    for (tap, c) in (0..taps).flat_map(|tap| (0..input.div_ceil(4)).map(move |c| (tap, c))) {
                        for m in t * tile..(t + 1) * tile {
                            texels.extend(channels(c * 4).map(|i| {
                                channels(m * 4).map(|o| {
                                    if o < out && i < input { at(group * out + o, group * input + i, tap) } else { 0.0 }
                                })
                            }));
                        }
                    }
                }
                for (group, m) in
                    self.rows.clone().flat_map(|row| (0..tile).map(move |m| (row / tiles, row % tiles * tile + m)))
                {
                    texels.push(channels(m * 4).map(|o| if o < out { bias(group * out + o) } else { 0.0 }));
                }
            }
            Packing::Depthwise { channels, taps } => {
                for block in 0..channels.div_ceil(4) {
                    texels.extend((0..taps).map(|tap| four(block, channels, &|c| weight[c * taps + tap])));
                }
                texels.extend((0..channels.div_ceil(4)).map(|block| four(block, channels, &bias)));
            }
            Packing::Linear { out, input: [c, h, w], gradient } => {
                // Stored order of a feature map's texels: block, row, column.
                let plane = h * w;
                let feature = |texel: usize, lane: usize| {
                    let channel = texel / plane * 4 + lane;
                    (channel < c).then(|| channel * plane + texel % plane)
                };
                let unit = |texel: usize, lane: usize| Some(texel * 4 + lane).filter(|&o| o < out);
                let at = |o: Option<usize>, i: Option<usize>| o.zip(i).map_or(0.0, |(o, i)| weight[o * c * plane + i]);
                let (features, units) = (c.div_ceil(4) * plane, out.div_ceil(4));
                let columns = if gradient { units } else { features };
                for (row, column) in self.rows.clone().flat_map(|r| (0..columns).map(move |c| (r, c))) {
                    texels.extend((0..4).map(|j| {
                        std::array::from_fn(|l| {
                            if gradient {
                                at(unit(column, j), feature(row, l))
                            } else {
                                at(unit(row, l), feature(column, j))
                            }
                        })
                    }));
                }
                texels.extend(self.rows.clone().map(|row| std::array::from_fn(|l| unit(row, l).map_or(0.0, bias))));
            }
            Packing::Channels { channels } => {
                texels.extend((0..channels.div_ceil(4)).map(|block| four(block, channels, &|c| weight[c])));
                texels.extend((0..channels.div_ceil(4)).map(|block| four(block, channels, &bias)));
            }
        }
        texels
    }
}

/// What `value` gives for the channels of a block, 0 for those past the last.
fn four(block: usize, channels: usize, value: &dyn Fn(usize) -> f32) -> Texel {
    std::array::from_fn(|lane| if block * 4 + lane < channels { value(block * 4 + lane) } else { 0.0 })
}
