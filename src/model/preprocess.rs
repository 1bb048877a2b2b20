//! How a photo becomes the network's input.

use std::collections::HashMap;

use crate::error::{Error, Result};

/// Resampling filter of the preprocessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Interpolation {
    /// Triangle filter, antialiased.
    Bilinear,
    /// Catmull-Rom filter (a = -0.5), antialiased.
    Bicubic,
}

/// The preprocessing that turns a photo into the network's input.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Preprocess {
    /// Height and width of the input.
    pub size: [usize; 2],
    /// Fraction of the resized photo that the centre crop keeps.
    pub crop_pct: f64,
    /// The filter that resizes the photo.
    pub interpolation: Interpolation,
    /// Mean of each channel, in units of 0..1.
    pub mean: [f32; 3],
    /// Standard deviation of each channel, in units of 0..1.
    pub std: [f32; 3],
}

impl Preprocess {
    /// Reads the metadata of the file `what`. Missing entries get the values that are usual for ImageNet.
    ///
    /// # Errors
    /// [`Error::Weights`] if an entry cannot be parsed or is out of range.
    pub(super) fn of(what: &str, metadata: &HashMap<String, String>, size: [usize; 2]) -> Result<Self> {
        let entry = |key: &str| metadata.get(key);
        let fail = |key: &str, value: &str| Error::Weights {
            what: what.to_owned(),
            reason: format!("metadata '{key}' is {value:?}, which makes no sense"),
        };
        let rgb = |key: &str, default: [f32; 3], positive: bool| {
            let Some(value) = entry(key) else { return Ok(default) };
            let parsed: Option<[f32; 3]> = serde_json::from_str(value).ok();
            parsed
                .filter(|v| v.iter().all(|v| v.is_finite() && (!positive || *v > 0.0)))
                .ok_or_else(|| fail(key, value))
        };
        let size = match entry("input_size") {
            None => size,
            Some(value) => match serde_json::from_str::<[usize; 3]>(value) {
                Ok([3, h @ 1..=4096, w @ 1..=4096]) => [h, w],
                _ => return Err(fail("input_size", value)),
            },
        };
        let crop_pct = match entry("crop_pct") {
            None => 0.875,
            Some(value) => {
                value.parse().ok().filter(|p| (0.1..=1.0).contains(p)).ok_or_else(|| fail("crop_pct", value))?
            }
        };
        let interpolation = match entry("interpolation").map(String::as_str) {
            None | Some("bilinear") => Interpolation::Bilinear,
            Some("bicubic") => Interpolation::Bicubic,
            Some(value) => return Err(fail("interpolation", value)),
        };
        let mean = rgb("mean", [0.485, 0.456, 0.406], false)?;
        let std = rgb("std", [0.229, 0.224, 0.225], true)?;
        Ok(Self { size, crop_pct, interpolation, mean, std })
    }
}
