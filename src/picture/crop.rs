//! The part of a photo that the network sees: the photo is resized, then its centre is cropped.

use super::resample::{Resize, resample};
use crate::model::{CropMode, Preprocess};

/// Where the input lies on a photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    /// Width and height.
    photo: [usize; 2],
    /// Width and height that the photo is resized to.
    resized: [usize; 2],
    /// First column and row of the crop in the resized photo. Negative ones lie on a border beside it.
    origin: [isize; 2],
    /// Width and height of the crop.
    size: [usize; 2],
}

impl Crop {
    /// The part of a photo that the transforms of torchvision and timm keep.
    pub fn of(preprocess: &Preprocess, width: u32, height: u32) -> Self {
        let photo = [width as usize, height as usize];
        let [crop_h, crop_w] = preprocess.input_size(photo[0], photo[1]);
        let size = [crop_w, crop_h];
        let [resize_h, resize_w] = preprocess.resize;
        let to = [resize_w, resize_h];
        let resized = match preprocess.crop_mode {
            CropMode::Squash => to,
            CropMode::Whole => size,
            // torchvision's Resize of the shorter side.
            CropMode::Center if resize_h == resize_w => {
                let shorter = photo[0].min(photo[1]);
                photo.map(|side| resize_h * side / shorter)
            }
            // timm's ResizeKeepRatio, to cover the size or to fit into it.
            mode => {
                let ratios = [0, 1].map(|a| photo[a] as f64 / to[a] as f64);
                let fits = mode == CropMode::Border;
                let ratio = if fits { ratios[0].max(ratios[1]) } else { ratios[0].min(ratios[1]) };
                photo.map(|side| ((side as f64 / ratio).round_ties_even() as usize).max(1))
            }
        };
        // CenterCrop: half the difference, rounded to even inside the photo and down beside it.
        let origin = [0, 1].map(|a| {
            let inside = (resized[a] as f64 - size[a] as f64) / 2.0;
            if inside < 0.0 { -((size[a] - resized[a]) as isize / 2) } else { inside.round_ties_even() as isize }
        });
        Self { photo, resized, origin, size }
    }

    /// The crop's left, top, width and height in pixels of the original photo. Borders lie outside.
    pub fn in_photo(&self) -> [f64; 4] {
        let scale = [0, 1].map(|a| self.photo[a] as f64 / self.resized[a] as f64);
        let [left, top] = [0, 1].map(|a| self.origin[a] as f64 * scale[a]);
        let [width, height] = [0, 1].map(|a| self.size[a] as f64 * scale[a]);
        [left, top, width, height]
    }

    /// The part of the photo's area that the network sees, 0 to 1.
    pub fn seen(&self) -> f64 {
        let part = |a: usize| self.size[a].min(self.resized[a]) as f64 / self.resized[a] as f64;
        part(0) * part(1)
    }

    /// The network's input, from the photo's RGBA bytes: opaque RGBA bytes, equal to those that Pillow makes. For a
    /// network with one channel they are grey.
    pub fn resample(&self, rgba: &[u8], preprocess: &Preprocess) -> Vec<u8> {
        let mean = |channel: usize| preprocess.mean.get(channel).copied().unwrap_or(preprocess.mean[0]);
        let border = [0, 1, 2].map(|channel| (mean(channel) * 255.0).round_ties_even() as u8);
        let resize = self.resize(preprocess, border);
        let grey = (preprocess.channels() == 1).then(|| grey(rgba));
        let rgb = resample(grey.as_deref().unwrap_or(rgba), 4, &resize);
        rgb.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect()
    }

    /// The network's input, from the numbers 0 to 1 of a picture with a band for each of its channels: band after band,
    /// normalised. Pillow makes the same of each band in its mode `F`.
    pub fn resample_bands(&self, bands: &[f32], preprocess: &Preprocess) -> Vec<f32> {
        let normalised = preprocess.mean.iter().zip(&preprocess.std).enumerate();
        let input = normalised.flat_map(|(band, (mean, std))| {
            let numbers = resample(&bands[band..], preprocess.channels(), &self.resize(preprocess, [*mean]));
            numbers.into_iter().map(move |[number]| (number - mean) / std)
        });
        input.collect()
    }

    /// The resize with a border of the mean colour, or of zeros as `CenterCrop` has it.
    fn resize<Pixel: Default>(&self, preprocess: &Preprocess, mean: Pixel) -> Resize<Pixel> {
        let range = |a: usize| self.origin[a]..self.origin[a] + self.size[a] as isize;
        Resize {
            from: self.photo,
            to: self.resized,
            crop: [range(0), range(1)],
            interpolation: preprocess.interpolation,
            border: if preprocess.crop_mode == CropMode::Border { mean } else { Pixel::default() },
        }
    }
}

/// The luma of ITU-R BT.601 as Pillow's `convert("L")` rounds it, in all three colours.
fn grey(rgba: &[u8]) -> Vec<u8> {
    let luma =
        |p: &[u8]| ((u32::from(p[0]) * 19595 + u32::from(p[1]) * 38470 + u32::from(p[2]) * 7471 + 0x8000) >> 16) as u8;
    rgba.chunks_exact(4).flat_map(|p| [[luma(p); 3].as_slice(), &p[3..]].concat()).collect()
}
