//! The rounding of scaled widths in MobileNet and what came of it.

/// The multiple of 8 nearest to `channels`, but not more than a tenth below it.
pub fn divisible(channels: f64) -> usize {
    let nearest = ((channels / 8.0 + 0.5).floor() * 8.0).max(8.0);
    (if nearest < 0.9 * channels { nearest + 8.0 } else { nearest }) as usize
}
