//! Trained numbers in the layout that a kernel reads.

use std::ops::Range;

use super::conv::Taps;
use super::winograd;
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
    /// convolution, some texels of a linear layer's outputs, a block of channels of the others.
    pub rows: Range<usize>,
}

/// The largest piece of a constant, in texels after the zero before them: 128 MiB, the smallest binding that
/// devices allow.
pub const MAX_TEXELS: usize = (128 << 20) / 16 - 1;

/// A dense or grouped convolution's channels, as the kernel sees them: those of a gradient have swapped roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Channels {
    /// Outputs.
    pub out: usize,
    /// Inputs.
    pub input: usize,
    /// Groups of the weight tensor.
    pub weight_groups: usize,
    /// Groups of the kernel: the same, or one with zeros between the weight's groups.
    pub groups: usize,
    /// Whether outputs and inputs are the forward pass's inputs and outputs.
    pub gradient: bool,
}

/// How a constant's texels are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    /// A convolution's register tiles of so many blocks, see `conv.wgsl`.
    Conv {
        /// Its channels.
        channels: Channels,
        /// Its taps.
        taps: Taps,
        /// Blocks of a register tile.
        tile: usize,
    },
    /// The same for Winograd's products: 36 groups of 1×1 convolutions, see `winograd_input.wgsl`. No bias.
    Winograd {
        /// Its channels.
        channels: Channels,
        /// Its 3×3 taps.
        taps: Taps,
        /// Blocks of a register tile.
        tile: usize,
    },
    /// One kernel a channel, see `depthwise.wgsl`.
    Depthwise {
        /// Channels.
        channels: usize,
        /// Taps of each.
        taps: Taps,
    },
    /// A matrix over the stored order of a `[c,h,w]` feature map, see `linear.wgsl`.
    Linear {
        /// Outputs of the forward pass.
        out: usize,
        /// Its input's channels, height and width.
        input: [usize; 3],
        /// Texels of the output side by side in a row.
        lanes: usize,
    },
    /// One number a channel, see `scale_shift.wgsl`.
    Channels {
        /// Channels.
        channels: usize,
    },
}

impl Packing {
    /// Rows in all, and texels of a row, those of the bias among them.
    fn extent(&self) -> (usize, usize) {
        match *self {
            Self::Conv { channels, taps, tile } => channels.extent(taps.number(), tile),
            Self::Winograd { channels, tile, .. } => {
                let (rows, size) = channels.extent(1, tile);
                (winograd::POINTS * rows, size)
            }
            Self::Depthwise { channels, taps } => (channels.div_ceil(4), taps.number() + 1),
            Self::Linear { out, input: [c, h, w], lanes } => {
                (out.div_ceil(4).div_ceil(lanes), lanes * (c.div_ceil(4) * h * w * 4 + 1))
            }
            Self::Channels { channels } => (channels.div_ceil(4), 2),
        }
    }
}

impl Channels {
    fn extent(&self, taps: usize, tile: usize) -> (usize, usize) {
        let rows = self.groups * (self.out / self.groups).div_ceil(4).div_ceil(tile);
        (rows, tile * (taps * (self.input / self.groups).div_ceil(4) * 4 + 1))
    }

    /// Calls `each` with the kernel's output and input channel of every pair of channels that the weight tensor
    /// joins, and the place of their first tap in it.
    fn pairs(&self, taps: usize, mut each: impl FnMut(usize, usize, usize)) {
        let (outs, ins) = if self.gradient { (self.input, self.out) } else { (self.out, self.input) };
        let (group_out, group_in) = (outs / self.weight_groups, ins / self.weight_groups);
        for out in 0..outs {
            for local in 0..group_in {
                let input = out / group_out * group_in + local;
                let (o, i) = if self.gradient { (input, out) } else { (out, input) };
                each(o, i, (out * group_in + local) * taps);
            }
        }
    }

    /// Row, and texel of the row with its lane, of the first tap's weight between an output and an input channel.
    fn place(&self, o: usize, i: usize, tile: usize) -> (usize, usize, usize) {
        let (outs, ins) = (self.out / self.groups, self.input / self.groups);
        let (group, o, i) = (o / outs, o % outs, i % ins);
        let row = group * outs.div_ceil(4).div_ceil(tile) + o / 4 / tile;
        (row, (i / 4 * tile + o / 4 % tile) * 4 + i % 4, o % 4)
    }
}

impl Constant {
    /// A weight in one piece.
    pub fn whole(weight: ParamId, bias: Option<ParamId>, packing: Packing) -> Self {
        Self { weight, bias, packing, rows: 0..packing.extent().0 }
    }

    /// A weight in pieces of at most so many texels, or of one row.
    pub fn pieces(weight: ParamId, bias: Option<ParamId>, packing: Packing, texels: usize) -> Vec<Self> {
        let (rows, size) = packing.extent();
        let most = (texels / size).max(1);
        let piece = |first: usize| Self { weight, bias, packing, rows: first..rows.min(first + most) };
        (0..rows).step_by(most).map(piece).collect()
    }

    /// A name that equal constants of graphs of the same model share.
    pub fn key(&self, graph: &Graph) -> String {
        let bias = self.bias.map_or("", |b| &graph.params[b].name);
        format!("{} + {bias} {:?} {:?}", graph.params[self.weight].name, self.packing, self.rows)
    }

    /// Whether the numbers may be stored as f16: what scales or shifts whole channels stays f32.
    pub fn halves(&self) -> bool {
        !matches!(self.packing, Packing::Channels { .. })
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
            Packing::Conv { channels, taps, tile } => {
                texels.resize(self.texels(), [0.0; 4]);
                let step = (channels.input / channels.groups).div_ceil(4) * tile * 4;
                let places: Vec<usize> = taps.places().collect();
                channels.pairs(taps.kernel[0] * taps.kernel[1], |o, i, at| {
                    let (row, place, lane) = channels.place(o, i, tile);
                    if self.rows.contains(&row) {
                        let first = (row - self.rows.start) * taps.number() * step + place;
                        for (t, tap) in places.iter().enumerate() {
                            texels[first + t * step][lane] = weight[at + tap];
                        }
                    }
                });
                let biases = self.rows.len() * taps.number() * step;
                for o in 0..channels.out {
                    let (row, place, lane) = channels.place(o, 0, tile);
                    if self.rows.contains(&row) {
                        texels[biases + (row - self.rows.start) * tile + place / 4][lane] = bias(o);
                    }
                }
            }
            Packing::Winograd { channels, taps, tile } => {
                texels.resize(self.texels(), [0.0; 4]);
                let rows = self.rows.len() / winograd::POINTS;
                let size = (channels.input / channels.groups).div_ceil(4) * tile * 4;
                let places: Vec<usize> = taps.places().collect();
                channels.pairs(places.len(), |o, i, at| {
                    let (row, place, lane) = channels.place(o, i, tile);
                    let kernel = std::array::from_fn(|t| weight[at + places[t]]);
                    for (point, value) in winograd::transform(kernel).into_iter().enumerate() {
                        texels[(point * rows + row) * size + place][lane] = value;
                    }
                });
            }
            Packing::Depthwise { channels, taps } => {
                let all = taps.kernel[0] * taps.kernel[1];
                for block in 0..channels.div_ceil(4) {
                    texels.extend(taps.places().map(|tap| four(block, channels, &|c| weight[c * all + tap])));
                }
                texels.extend((0..channels.div_ceil(4)).map(|block| four(block, channels, &bias)));
            }
            Packing::Linear { out, input: [c, h, w], lanes } => {
                // Stored order of a feature map's texels: block, row, column.
                let plane = h * w;
                let at = |o: usize, channel: usize, place: usize| {
                    if o < out && channel < c { weight[(o * c + channel) * plane + place] } else { 0.0 }
                };
                let outputs = |row: usize| (row * lanes..(row + 1) * lanes).map(|unit| unit * 4);
                for row in self.rows.clone() {
                    for feature in 0..c.div_ceil(4) * plane {
                        let (block, place) = (feature / plane, feature % plane);
                        for channel in block * 4..block * 4 + 4 {
                            texels.extend(
                                outputs(row).map(|o| std::array::from_fn::<_, 4, _>(|l| at(o + l, channel, place))),
                            );
                        }
                    }
                }
                texels.extend(
                    self.rows.clone().flat_map(outputs).map(|o| std::array::from_fn::<_, 4, _>(|l| bias(o + l))),
                );
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
