//! Rounding of scaled widths, as in MobileNet and its successors.

/// The multiple of 8 nearest to `channels`, but at least 8 and not more than a tenth below `channels`.
pub fn divisible(channels: f64) -> usize {
    let nearest = ((channels / 8.0 + 0.5).floor() * 8.0).max(8.0);
    (if nearest < 0.9 * channels { nearest + 8.0 } else { nearest }) as usize
}
