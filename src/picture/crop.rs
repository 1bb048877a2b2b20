//! The part of a photo that the network sees: shorter side resized, centre cropped.

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images::Image, images::ImageRef};

use super::Photo;
use crate::error::{Error, Result};
use crate::model::{Interpolation, Preprocess};

/// A crop in the photo's own pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Crop {
    /// What `torchvision.transforms.Resize` of the shorter side and `CenterCrop` keep of a photo.
    pub fn centre(preprocess: &Preprocess, width: u32, height: u32) -> Self {
        let [crop_h, crop_w] = preprocess.size.map(|s| s as f64);
        let (width, height) = (f64::from(width), f64::from(height));
        let shorter = (crop_h.min(crop_w) / preprocess.crop_pct).floor();
        let (resized_w, resized_h) = if width <= height {
            (shorter, (shorter * height / width).floor())
        } else {
            ((shorter * width / height).floor(), shorter)
        };
        let (scale_x, scale_y) = (width / resized_w, height / resized_h);
        Self {
            left: ((resized_w - crop_w) / 2.0).round_ties_even() * scale_x,
            top: ((resized_h - crop_h) / 2.0).round_ties_even() * scale_y,
            width: crop_w * scale_x,
            height: crop_h * scale_y,
        }
    }

    /// The crop resampled to the network's input, as RGBA bytes. Resampling the crop alone gives the bytes
    /// that resizing the whole photo would, since the filter reads beyond the crop's edges.
    ///
    /// # Errors
    /// [`Error::Picture`] if the crop does not lie in the photo.
    pub fn resample(&self, photo: &Photo, preprocess: &Preprocess) -> Result<Vec<u8>> {
        let fail = |reason: String| Error::Picture { what: photo.name.clone(), reason };
        // Opaque, so that no resampling of the alpha channel interferes.
        let rgb: Vec<u8> = photo.rgba().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
        let source =
            ImageRef::new(photo.width(), photo.height(), &rgb, PixelType::U8x4).map_err(|e| fail(e.to_string()))?;
        let filter = match preprocess.interpolation {
            Interpolation::Bilinear => FilterType::Bilinear,
            Interpolation::Bicubic => FilterType::CatmullRom,
        };
        let [h, w] = preprocess.size.map(|s| s as u32);
        let (photo_w, photo_h) = (f64::from(photo.width()), f64::from(photo.height()));
        let width = self.width.min(photo_w - self.left);
        let height = self.height.min(photo_h - self.top);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(false);
        // Rows before columns, each rounded to bytes: Pillow's order, and so Pillow's bytes.
        let mut rows = Image::new(w, photo.height(), PixelType::U8x4);
        let mut target = Image::new(w, h, PixelType::U8x4);
        let mut resizer = Resizer::new();
        resizer
            .resize(&source, &mut rows, &options.crop(self.left, 0.0, width, photo_h))
            .and_then(|()| resizer.resize(&rows, &mut target, &options.crop(0.0, self.top, f64::from(w), height)))
            .map_err(|e| fail(e.to_string()))?;
        Ok(target.into_vec())
    }
}
