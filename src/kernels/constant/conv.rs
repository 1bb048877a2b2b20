//! Packs a convolution's weights by tiles, see `conv.wgsl`.

use std::ops::Range;

use super::super::pass::Taps;
use super::super::texel::Texel;

/// A dense or grouped convolution's channels, as the kernel sees them. In a gradient, outputs and inputs swap roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Channels {
    /// Outputs.
    pub out: usize,
    /// Inputs.
    pub input: usize,
    /// Groups of the weight tensor.
    pub weight_groups: usize,
    /// Groups of the kernel: those of the weight tensor, or 1 with zeros between the weight's groups.
    pub groups: usize,
    /// Whether this is a gradient: outputs and inputs are the forward pass's inputs and outputs.
    pub gradient: bool,
}

impl Channels {
    pub(super) fn extent(&self, taps: usize, tile: usize) -> (usize, usize) {
        let rows = self.groups * (self.out / self.groups).div_ceil(4).div_ceil(tile);
        (rows, tile * (taps * (self.input / self.groups).div_ceil(4) * 4 + 1))
    }

    /// Calls `each` for every pair of channels that the weight tensor connects, with the kernel's output channel, its input
    /// channel, and the index of their first tap in the weight tensor.
    pub(super) fn pairs(&self, taps: usize, mut each: impl FnMut(usize, usize, usize)) {
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

    /// Where the first tap's weight between an output and an input channel lies: row, texel of the row, lane of the texel.
    pub(super) fn place(&self, o: usize, i: usize, tile: usize) -> (usize, usize, usize) {
        let (outs, ins) = (self.out / self.groups, self.input / self.groups);
        let (group, o, i) = (o / outs, o % outs, i % ins);
        let row = group * outs.div_ceil(4).div_ceil(tile) + o / 4 / tile;
        (row, (i / 4 * tile + o / 4 % tile) * 4 + i % 4, o % 4)
    }
}

/// The tiles `rows`, each of `tile` blocks: [tile][tap][input block][block][4] texels, then the biases [tile][block].
pub fn pack(
    channels: &Channels,
    taps: &Taps,
    tile: usize,
    rows: &Range<usize>,
    weight: &[f32],
    bias: impl Fn(usize) -> f32,
) -> Vec<Texel> {
    let step = (channels.input / channels.groups).div_ceil(4) * tile * 4;
    let biases = rows.len() * taps.number() * step;
    let mut texels = vec![[0.0; 4]; biases + rows.len() * tile];
    let places: Vec<usize> = taps.places().collect();
    channels.pairs(taps.kernel[0] * taps.kernel[1], |o, i, at| {
        let (row, place, lane) = channels.place(o, i, tile);
        if rows.contains(&row) {
            let first = (row - rows.start) * taps.number() * step + place;
            for (t, tap) in places.iter().enumerate() {
                texels[first + t * step][lane] = weight[at + tap];
            }
        }
    });
    for o in 0..channels.out {
        let (row, place, lane) = channels.place(o, 0, tile);
        if rows.contains(&row) {
            texels[biases + (row - rows.start) * tile + place / 4][lane] = bias(o);
        }
    }
    texels
}
