//! The part of a photo that the network sees: the shorter side is resized, then the centre is cropped.

use super::resample::resample;
use crate::model::Preprocess;

/// A centre crop of a photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    photo: [usize; 2],
    resized: [usize; 2],
    /// First column and row of the crop in the resized photo.
    origin: [usize; 2],
    size: [usize; 2],
}

impl Crop {
    /// The part that `torchvision.transforms.Resize` of the shorter side and `CenterCrop` keep of a photo.
    pub fn centre(preprocess: &Preprocess, width: u32, height: u32) -> Self {
        let [crop_h, crop_w] = preprocess.size;
        let (width, height) = (width as usize, height as usize);
        let shorter = (crop_h.min(crop_w) as f64 / preprocess.crop_pct) as usize;
        let longer = |a: usize, b: usize| shorter * a / b;
        let resized = if width <= height { [shorter, longer(height, width)] } else { [longer(width, height), shorter] };
        // If the crop is longer than the resized photo, the photo is stretched to the crop's length.
        let resized = [resized[0].max(crop_w), resized[1].max(crop_h)];
        let origin = |resized: usize, crop: usize| ((resized - crop) as f64 / 2.0).round_ties_even() as usize;
        let origin = [origin(resized[0], crop_w), origin(resized[1], crop_h)];
        Self { photo: [width, height], resized, origin, size: [crop_w, crop_h] }
    }

    /// The crop's left, top, width and height in pixels of the original photo.
    pub fn in_photo(&self) -> [f64; 4] {
        let scale = [0, 1].map(|a| self.photo[a] as f64 / self.resized[a] as f64);
        let [left, top] = [0, 1].map(|a| self.origin[a] as f64 * scale[a]);
        let [width, height] = [0, 1].map(|a| self.size[a] as f64 * scale[a]);
        [left, top, width, height]
    }

    /// The network's input, from the photo's RGBA bytes: opaque RGBA bytes, equal to those that Pillow makes.
    pub fn resample(&self, rgba: &[u8], preprocess: &Preprocess) -> Vec<u8> {
        let range = |axis: usize| self.origin[axis]..self.origin[axis] + self.size[axis];
        resample(rgba, self.photo, preprocess.interpolation, self.resized, [range(0), range(1)])
    }
}
