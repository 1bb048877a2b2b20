//! How a photo becomes the network's input.

use serde_json::Value;

use super::facts::{Facts, Origin};
use crate::error::Result;

/// Resampling filter of the preprocessing. All are Pillow's; all but `Nearest` antialias.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// The mean of a box.
    Box,
    /// Triangle filter.
    Bilinear,
    /// Hamming-windowed sinc.
    Hamming,
    /// Catmull-Rom filter (a = -0.5).
    Bicubic,
    /// Lanczos filter of three lobes.
    Lanczos,
}

/// How a photo of another aspect meets the input. The first three are timm's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CropMode {
    /// The photo covers the resize size; the centre is kept.
    Center,
    /// The photo is squeezed to the resize size; the centre is kept.
    Squash,
    /// The photo fits into the resize size, with borders of the mean colour.
    Border,
    /// All of the photo at its own aspect: the input is as long as the photo asks for, its shorter side that of the
    /// input size.
    Whole,
}

/// The preprocessing that turns a photo into the network's input.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Preprocess {
    /// Height and width of the input.
    pub size: [usize; 2],
    /// Height and width that the photo is resized to before the crop.
    pub resize: [usize; 2],
    /// How a photo of another aspect meets that size.
    pub crop_mode: CropMode,
    /// The filter that resizes the photo.
    pub interpolation: Interpolation,
    /// Mean of each channel, in units of 0..1. One channel sees a photo in grey.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel, in units of 0..1.
    pub std: Vec<f32>,
}

/// Who said each part of a preprocessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[allow(missing_docs)] // the fields of `Preprocess`
pub struct Origins {
    pub size: Origin,
    pub resize: Origin,
    pub crop_mode: Origin,
    pub interpolation: Origin,
    pub mean: Origin,
    pub std: Origin,
}

/// The longest side of an input.
const MAX_SIDE: usize = 4096;
/// The largest mean and standard deviation. Those of colours of 0 to 255 are larger, and would make all photos grey.
const MOST: f32 = 10.0;
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

impl Preprocess {
    /// Reads the facts about the model `what`, whose network takes `channels` channels and usually inputs of `size`.
    /// What nobody said is as it is usual for ImageNet.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] if an entry makes no sense.
    pub(super) fn of(what: &str, facts: &Facts, size: [usize; 2], channels: usize) -> Result<(Self, Origins)> {
        let assumed = Origin::Assumed;
        let needed = format!("a height and a width from 1 to {MAX_SIDE} are needed");
        let (size, size_by) = facts.read(what, "input_size", &needed, sides)?.unwrap_or((size, assumed));
        let resize = facts.read(what, "resize", &needed, sides)?;
        let part = |v: &Value| v.as_f64().filter(|p| (0.1..=1.0).contains(p));
        let crop_pct = facts.read(what, "crop_pct", "a part from 0.1 to 1 is needed", part)?;
        let modes = "center, squash, border or whole is needed";
        let (crop_mode, crop_mode_by) =
            facts.read(what, "crop_mode", modes, word)?.unwrap_or((CropMode::Center, assumed));
        let filters = "nearest, box, bilinear, hamming, bicubic or lanczos is needed";
        let (interpolation, interpolation_by) =
            facts.read(what, "interpolation", filters, word)?.unwrap_or((Interpolation::Bilinear, assumed));

        let (resize, resize_by) = match resize {
            // The library's resize size is that of its own input size.
            Some((resize, Origin::Library)) if size_by < Origin::Library => {
                let own = facts.get("input_size_of_library").and_then(|(value, _)| sides(value)).unwrap_or(size);
                ([0, 1].map(|a| resize[a] * size[a] / own[a]), Origin::Library)
            }
            Some(resize) => resize,
            None => {
                let (pct, by) = crop_pct.unwrap_or((0.875, assumed));
                (size.map(|side| (side as f64 / pct).floor() as usize), by)
            }
        };

        let needed = |from: &str| {
            let numbers = if channels == 1 { "1 number is".into() } else { format!("{channels} numbers are") };
            format!("{numbers} needed, from {from} to {MOST}, for colours of 0 to 1")
        };
        let (mean, mean_by) = facts
            .read(what, "mean", &needed("-10"), |v| each(v, channels, -MOST))?
            .unwrap_or_else(|| (if channels == 3 { IMAGENET_MEAN.to_vec() } else { vec![0.5; channels] }, assumed));
        let (std, std_by) = facts
            .read(what, "std", &needed("1e-6"), |v| each(v, channels, 1e-6))?
            .unwrap_or_else(|| (if channels == 3 { IMAGENET_STD.to_vec() } else { vec![0.5; channels] }, assumed));
        let origins = Origins {
            size: size_by,
            resize: resize_by,
            crop_mode: crop_mode_by,
            interpolation: interpolation_by,
            mean: mean_by,
            std: std_by,
        };
        Ok((Self { size, resize, crop_mode, interpolation, mean, std }, origins))
    }

    /// Number of channels of the input.
    pub fn channels(&self) -> usize {
        self.mean.len()
    }

    /// Height and width of the input that a photo of this width and height becomes.
    pub fn input_size(&self, width: usize, height: usize) -> [usize; 2] {
        if self.crop_mode != CropMode::Whole {
            return self.size;
        }
        let (shorter, longer) = (width.min(height) as f64, width.max(height) as f64);
        let scale = (self.size[0].min(self.size[1]) as f64 / shorter).min(MAX_SIDE as f64 / longer);
        [height, width].map(|side| ((side as f64 * scale).round() as usize).max(1))
    }
}

/// In one line, for people.
impl std::fmt::Display for Preprocess {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let [h, w] = self.size;
        let resize = if self.resize[0] == self.resize[1] {
            self.resize[0].to_string()
        } else {
            format!("{}×{}", self.resize[0], self.resize[1])
        };
        let numbers = |v: &[f32]| {
            let distinct = if v.iter().all(|number| *number == v[0]) { &v[..1] } else { v };
            distinct.iter().map(f32::to_string).collect::<Vec<_>>().join(",")
        };
        let filter = format!("{:?}", self.interpolation).to_lowercase();
        match self.crop_mode {
            CropMode::Center => write!(f, "resize {resize} {filter}, centre crop {h}×{w}")?,
            CropMode::Squash => write!(f, "squeezed to {resize} {filter}, centre crop {h}×{w}")?,
            CropMode::Border => write!(f, "fitted into {resize} {filter} with borders, {h}×{w}")?,
            CropMode::Whole => write!(f, "the whole photo {filter}, its shorter side {}", h.min(w))?,
        }
        write!(f, ", mean {}, std {}", numbers(&self.mean), numbers(&self.std))
    }
}

/// A height and a width: one number for both, both, or timm's channels, height and width.
pub(super) fn sides(value: &Value) -> Option<[usize; 2]> {
    let side = |v: &Value| v.as_u64().map(|v| v as usize).filter(|side| (1..=MAX_SIDE).contains(side));
    match (value, value.as_array().map(Vec::as_slice)) {
        (_, Some([h, w] | [_, h, w])) => Some([side(h)?, side(w)?]),
        (Value::Number(_), _) => side(value).map(|side| [side; 2]),
        _ => None,
    }
}

fn word<T: serde::de::DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

/// A number for each channel, or one for all of them.
fn each(value: &Value, channels: usize, least: f32) -> Option<Vec<f32>> {
    let numbers: Vec<f32> = match value {
        Value::Array(values) => values.iter().map(|v| v.as_f64().map(|v| v as f32)).collect::<Option<_>>()?,
        one => vec![one.as_f64()? as f32],
    };
    let numbers = if numbers.len() == 1 { vec![numbers[0]; channels] } else { numbers };
    (numbers.len() == channels && numbers.iter().all(|v| (least..=MOST).contains(v))).then_some(numbers)
}
