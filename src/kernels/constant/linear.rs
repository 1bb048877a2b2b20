//! Packs a linear layer's matrix, whose inputs are in the stored order of a feature map. See `linear.wgsl`.

use std::ops::Range;

use super::super::texel::Texel;

/// The rows `rows`, each of `lanes` output texels side by side: [row][input][lane] texels, then the biases [row][lane].
pub fn pack(
    out: usize,
    [c, h, w]: [usize; 3],
    lanes: usize,
    rows: &Range<usize>,
    weight: &[f32],
    bias: impl Fn(usize) -> f32,
) -> Vec<Texel> {
    // Stored order of a feature map's texels: block, row, column.
    let plane = h * w;
    let at = |o: usize, channel: usize, place: usize| {
        if o < out && channel < c { weight[(o * c + channel) * plane + place] } else { 0.0 }
    };
    let outputs = |row: usize| (row * lanes..(row + 1) * lanes).map(|unit| unit * 4);
    let mut texels = Vec::with_capacity(rows.len() * lanes * (c.div_ceil(4) * plane * 4 + 1));
    for row in rows.clone() {
        for feature in 0..c.div_ceil(4) * plane {
            let (block, place) = (feature / plane, feature % plane);
            for channel in block * 4..block * 4 + 4 {
                texels.extend(outputs(row).map(|o| -> Texel { std::array::from_fn(|l| at(o + l, channel, place)) }));
            }
        }
    }
    texels.extend(rows.clone().flat_map(outputs).map(|o| -> Texel { std::array::from_fn(|l| bias(o + l)) }));
    texels
}
