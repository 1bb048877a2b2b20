//! Images from a formula, the same as in `tools/networks.py`.

use gradcam::model::seeded::unit;

/// Normalised images, different for each `variant`: patches of different brightness and noise, so that maps vary.
pub fn images([n, c, h, w]: [usize; 4], variant: i64) -> Vec<f32> {
    let noise = unit(&format!("input {variant}"), n * c * h * w).map(|u| u * 4.0 - 2.0);
    let pixel = |(at, noise): (usize, f32)| {
        let (x, y, c, i) = (at % w, at / w % h, at / w / h % c, at / w / h / c);
        let contrast = ((y / 32 + x / 48 + c + i) % 3) as f32 * 0.5;
        let brightness = ((y / 40 + 2 * (x / 56) + c + i) % 4) as f32 - 1.5;
        noise * contrast + brightness
    };
    noise.enumerate().map(pixel).collect()
}
