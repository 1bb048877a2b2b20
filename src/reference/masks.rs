//! Masks of images.

use super::cam::bilinear;
use super::planes::planes;
use crate::graph::{CELLS, Mask, Shape, hash};

/// Masks as channels, see [`Mask`].
pub fn masks(mask: Mask, first: usize, [n, count, h, w]: Shape) -> Vec<f64> {
    planes(n * count, h * w, |plane, y| {
        let number = first + plane % count;
        match mask {
            Mask::Square { side, step, across } => {
                let [top, left] = [number / across * step, number % across * step];
                for (p, y) in y.iter_mut().enumerate() {
                    let is_inside = (top..top + side).contains(&(p / w)) && (left..left + side).contains(&(p % w));
                    *y = f64::from(is_inside);
                }
            }
            Mask::Grid { key } => {
                let own = hash(number as u32 ^ key);
                let bit = |cell: u32| f64::from(hash(own.wrapping_add(cell)) >> 31);
                let grid: Vec<f64> = (0..(CELLS * CELLS) as u32).map(bit).collect();
                let [ch, cw] = [h, w].map(|extent| extent.div_ceil(CELLS));
                let [down, right] = [hash(own) as usize % ch, hash(hash(own)) as usize % cw];
                let at =
                    |pixel: usize, cell: usize| (pixel as f64 + 0.5) * CELLS as f64 / ((CELLS + 1) * cell) as f64 - 0.5;
                for (p, y) in y.iter_mut().enumerate() {
                    *y = bilinear(&grid, [CELLS, CELLS], [at(p / w + down, ch), at(p % w + right, cw)]);
                }
            }
        }
    })
}
