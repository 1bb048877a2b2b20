//! Constants: trained numbers in the layout that a kernel reads.

mod conv;
mod linear;
mod winograd;

use std::ops::Range;

pub use conv::Channels;
pub use winograd::POINTS;

use super::pass::Taps;
use super::texel::Texel;
use crate::graph::{Graph, ParamId};

/// A weight and its bias or shift, packed for a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constant {
    /// The weight.
    pub weight: ParamId,
    /// The bias or shift; zeros if there is none.
    pub bias: Option<ParamId>,
    /// The layout.
    pub packing: Packing,
    /// Rows of the layout: all of them, or those of a piece of a large weight. A row is a tile of a convolution, some output
    /// texels of a linear layer, or a block of channels in the other layouts.
    pub rows: Range<usize>,
}

/// How a constant's texels are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    /// A convolution's weights by tiles of `tile` blocks, see `conv.wgsl`.
    Conv {
        /// Its channels.
        channels: Channels,
        /// Its taps.
        taps: Taps,
        /// Blocks of a tile.
        tile: usize,
    },
    /// Like `Conv`, for Winograd's products: 36 groups of 1×1 convolutions, see `winograd_input.wgsl`. No bias.
    Winograd {
        /// Its channels.
        channels: Channels,
        /// Its 3×3 taps.
        taps: Taps,
        /// Blocks of a tile.
        tile: usize,
    },
    /// One kernel per channel, see `depthwise.wgsl`.
    Depthwise {
        /// Channels.
        channels: usize,
        /// Taps of each.
        taps: Taps,
    },
    /// A matrix whose inputs are in the stored order of a `[c,h,w]` feature map, see `linear.wgsl`.
    Linear {
        /// Outputs of the forward pass.
        out: usize,
        /// Its input's channels, height and width.
        input: [usize; 3],
        /// Output texels side by side in a row.
        lanes: usize,
    },
    /// A feature map's numbers.
    Map {
        /// Channels.
        channels: usize,
        /// Height times width.
        plane: usize,
    },
    /// One number per channel, see `scale_shift.wgsl`.
    Channels {
        /// Channels.
        channels: usize,
    },
}

impl Packing {
    /// Number of rows, and texels per row with those of the bias.
    fn extent(&self) -> (usize, usize) {
        match *self {
            Self::Conv { channels, taps, tile } => channels.extent(taps.number(), tile),
            Self::Winograd { channels, tile, .. } => {
                let (rows, size) = channels.extent(1, tile);
                (POINTS * rows, size)
            }
            Self::Depthwise { channels, taps } => (channels.div_ceil(4), taps.number() + 1),
            Self::Linear { out, input: [c, h, w], lanes } => {
                (out.div_ceil(4).div_ceil(lanes), lanes * (c.div_ceil(4) * h * w * 4 + 1))
            }
            Self::Map { channels, plane } => (channels.div_ceil(4), plane),
            Self::Channels { channels } => (channels.div_ceil(4), 2),
        }
    }
}

impl Constant {
    /// A weight in one piece.
    pub fn whole(weight: ParamId, bias: Option<ParamId>, packing: Packing) -> Self {
        Self { weight, bias, packing, rows: 0..packing.extent().0 }
    }

    /// A weight in pieces of at most `texels` texels, but at least one row.
    pub fn pieces(weight: ParamId, bias: Option<ParamId>, packing: Packing, texels: usize) -> Vec<Self> {
        let (rows, size) = packing.extent();
        let most = (texels / size).max(1);
        let piece = |first: usize| Self { weight, bias, packing, rows: first..rows.min(first + most) };
        (0..rows).step_by(most).map(piece).collect()
    }

    /// A key that equal constants of graphs of the same model share.
    pub fn key(&self, graph: &Graph) -> String {
        let bias = self.bias.map_or("", |b| &graph.params[b].name);
        format!("{} + {bias} {:?} {:?}", graph.params[self.weight].name, self.packing, self.rows)
    }

    /// Whether the numbers may be stored as f16. Scales and shifts of whole channels, and constants, stay f32.
    pub fn halves(&self) -> bool {
        !matches!(self.packing, Packing::Channels { .. } | Packing::Map { .. })
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
        let blocks = |channels: usize, value: &dyn Fn(usize) -> f32| -> Vec<Texel> {
            (0..channels.div_ceil(4)).map(|block| four(block, channels, value)).collect()
        };
        match &self.packing {
            Packing::Conv { channels, taps, tile } => conv::pack(channels, taps, *tile, &self.rows, &weight, bias),
            Packing::Winograd { channels, taps, tile } => winograd::pack(channels, taps, *tile, &weight),
            Packing::Depthwise { channels, taps } => {
                let all = taps.kernel[0] * taps.kernel[1];
                let mut texels = vec![];
                for block in 0..channels.div_ceil(4) {
                    texels.extend(taps.places().map(|tap| four(block, *channels, &|c| weight[c * all + tap])));
                }
                texels.extend(blocks(*channels, &bias));
                texels
            }
            Packing::Linear { out, input, lanes } => linear::pack(*out, *input, *lanes, &self.rows, &weight, bias),
            Packing::Map { channels, plane } => {
                let places = (0..channels.div_ceil(4)).flat_map(|block| (0..*plane).map(move |p| (block, p)));
                places.map(|(block, p)| four(block, *channels, &|c| weight[c * plane + p])).collect()
            }
            Packing::Channels { channels } => [blocks(*channels, &|c| weight[c]), blocks(*channels, &bias)].concat(),
        }
    }
}

/// The texel of `value` over the channels of a block; 0 past the last channel.
fn four(block: usize, channels: usize, value: &dyn Fn(usize) -> f32) -> Texel {
    std::array::from_fn(|lane| if block * 4 + lane < channels { value(block * 4 + lane) } else { 0.0 })
}
