//! Packs the weights of Winograd's products: 36 groups of 1×1 convolutions, see `winograd_input.wgsl`.

use super::super::pass::Taps;
use super::super::texel::Texel;
use super::conv::Channels;

/// Products of a tile.
pub const POINTS: usize = 36;
/// `G g Gᵀ` of a 3×3 kernel, row by row.
fn transform(g: [f32; 9]) -> [f32; POINTS] {
    const G: [[f64; 3]; 6] = [
        [1.0 / 4.0, 0.0, 0.0],
        [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
        [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
        [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
        [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
        [0.0, 0.0, 1.0],
    ];
    let rows: [[f64; 3]; 6] =
        std::array::from_fn(|i| std::array::from_fn(|x| (0..3).map(|y| G[i][y] * f64::from(g[y * 3 + x])).sum()));
    std::array::from_fn(|point| (0..3).map(|x| rows[point / 6][x] * G[point % 6][x]).sum::<f64>() as f32)
}

/// All tiles, each of `tile` blocks: [point][tile][input block][block][4] texels, then unused biases [point][tile][block].
pub fn pack(channels: &Channels, taps: &Taps, tile: usize, weight: &[f32]) -> Vec<Texel> {
    let (rows, row) = channels.extent(1, tile);
    let size = (channels.input / channels.groups).div_ceil(4) * tile * 4;
    let mut texels = vec![[0.0; 4]; POINTS * rows * row];
    let places: Vec<usize> = taps.places().collect();
    channels.pairs(places.len(), |o, i, at| {
        let (row, place, lane) = channels.place(o, i, tile);
        let kernel = std::array::from_fn(|t| weight[at + places[t]]);
        for (point, value) in transform(kernel).into_iter().enumerate() {
            texels[(point * rows + row) * size + place][lane] = value;
        }
    });
    texels
}
