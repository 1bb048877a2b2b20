//! Lays heat maps over a photo.

use super::cam::bilinear;
use crate::graph::{Overlay, Shape};

/// Blends the map's colours over the photo inside the crop. Outside, the photo stays as it is. Alpha becomes opaque.
pub fn draw(
    overlay: &Overlay,
    (heatmap, [_, _, mh, mw]): (&[f64], Shape),
    (photo, [_, _, _, w]): (&[u8], Shape),
    colours: &[f64],
) -> Vec<u8> {
    let [left, top, width, height] = overlay.crop.map(f64::from);
    let map = &heatmap[overlay.map * mh * mw..][..mh * mw];
    let mut out = photo.to_vec();
    for (i, rgba) in out.chunks_mut(4).enumerate() {
        rgba[3] = 255;
        let u = ((i % w) as f64 + 0.5 - left) / width;
        let v = ((i / w) as f64 + 0.5 - top) / height;
        if !(0.0..=1.0).contains(&u) || !(0.0..=1.0).contains(&v) {
            continue;
        }
        let heat = bilinear(map, [mh, mw], [v * mh as f64 - 0.5, u * mw as f64 - 0.5]);
        let heat = if overlay.signed { heat * 0.5 + 0.5 } else { heat };
        let (colour, alpha) = colours[(heat.clamp(0.0, 1.0) * 255.0) as usize * 4..][..4].split_at(3);
        for (channel, colour) in rgba.iter_mut().zip(colour) {
            *channel = (f64::from(*channel) * (1.0 - alpha[0]) + 255.0 * colour * alpha[0]).round() as u8;
        }
    }
    out
}
