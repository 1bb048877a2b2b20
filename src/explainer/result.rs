//! The results of a batch.

use std::path::Path;

use super::drawing::{Scene, brighten, strip_rows};
use super::plans::Prepared;
use crate::cam::{Compat, Method, Status};
use crate::error::{Error, Result};
use crate::gpu::Stats;
use crate::memory::Share;
use crate::model::Model;
use crate::picture::write_png;

/// A class with its score.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Prediction {
    /// Index of the class.
    pub class: usize,
    /// Its name.
    pub label: String,
    /// Score before softmax.
    pub logit: f32,
    /// What the score means as a probability, see [`crate::model::Scores`]. NaN if it means none.
    pub probability: f32,
}

/// Numbers over an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Row by row.
    pub values: Vec<f32>,
}

/// Why the network chose a class.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    /// The class explained.
    pub prediction: Prediction,
    /// The method that made the map.
    pub method: Method,
    /// Whether the map is meaningful.
    pub status: Status,
    /// Of integrated gradients, how far their sum is from the difference that they explain, as a part of it. More samples bring
    /// it closer to 0.
    pub completeness: Option<f32>,
    /// The cosine of the image's embedding with another's, -1 to 1, if that is explained.
    pub similarity: Option<f32>,
    /// The map at the layer's size, signed and unscaled, if asked for.
    pub raw: Option<Map>,
    /// The map at the input's size, in 0..1, if asked for.
    pub heatmap: Option<Map>,
    /// The photo under the map's colours, RGBA, if asked for.
    pub overlay: Option<Overlay>,
}

/// A picture of RGBA bytes, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlay {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width · height · 4` bytes.
    pub rgba: Vec<u8>,
}

impl Heatmap {
    /// Writes the overlay as a PNG.
    ///
    /// # Errors
    /// [`Error::Request`] if no overlay was asked for, [`Error::NonFinite`] if the map is not finite, [`Error::Write`]
    /// if the file cannot be written.
    pub fn save_overlay(&self, path: impl AsRef<Path>) -> Result<()> {
        if self.status == Status::NonFinite {
            return Err(Error::NonFinite { what: path.as_ref().display().to_string() });
        }
        let overlay = self.overlay.as_ref().ok_or_else(|| Error::Request("no overlay was asked for".into()))?;
        write_png(path.as_ref(), overlay.width, overlay.height, &overlay.rgba)
    }
}

/// One image explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The most probable classes, best first, as many as were asked for.
    pub predictions: Vec<Prediction>,
    /// One for each class explained, by each method in turn.
    pub heatmaps: Vec<Heatmap>,
    /// All class scores before softmax, if asked for.
    pub logits: Option<Vec<f32>>,
    /// The embedding, if asked for.
    pub embedding: Option<Vec<f32>>,
}

/// A batch explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// In the order of the images.
    pub explanations: Vec<Explanation>,
    /// Its cost; zeros on the CPU.
    pub stats: Stats,
    /// Height and width of the raw maps.
    pub layer_size: [usize; 2],
    /// Of memory, for the overlays.
    _share: Share,
}

/// The overlays of a scene, for each photo map by map. Their bytes come in strips.
pub fn overlays<'a>(scene: &Scene, mut values: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<Overlay>> {
    let mut overlay = |[width, height]: [u32; 2]| {
        let strips: Vec<&[u8]> = values.by_ref().take(strip_rows(width, height).count()).collect();
        let mut rgba = strips.concat();
        if scene.compat == Compat::PytorchGradCam {
            brighten(&mut rgba);
        }
        Overlay { width, height, rgba }
    };
    let of_photo = |(size, maps): (&[u32; 2], &Vec<usize>)| maps.iter().map(|_| overlay(*size)).collect();
    scene.photos.iter().zip(&scene.maps).map(of_photo).collect()
}

/// Sorts the outputs' bytes by image and class. They come in the order of [`Built`](super::recipe::Built), followed by the overlays
/// of the scene, if there is one.
pub fn assemble(model: &Model, prepared: &Prepared, scene: Option<&Scene>, values: &[&[u8]], stats: Stats) -> Batch {
    let Prepared { recipe, built, .. } = prepared;
    let layer_size = built.layer_size;
    let [n, _, h, w] = recipe.shape;
    let mut values = values.iter().copied();
    let mut next = |wanted: bool| if wanted { values.next().unwrap_or_default() } else { &[] };
    let [records, ranges] = [next(true), next(true)].map(bytemuck::pod_collect_to_vec::<u8, f32>);
    let logits: Vec<f32> = bytemuck::pod_collect_to_vec(next(recipe.outputs.logits));
    let (raw, heatmaps) = (next(recipe.outputs.raw), next(recipe.outputs.heatmap));
    let sums: Vec<f32> = bytemuck::pod_collect_to_vec(next(built.has_sums));
    let sums: Vec<&[f32]> = sums.chunks(model.preprocess.channels() + 1).collect();
    let embeddings: Vec<f32> = bytemuck::pod_collect_to_vec(next(built.embedding > 0));
    let similarities: Vec<f32> = bytemuck::pod_collect_to_vec(next(built.has_similarity));
    let overlays = scene.map(|scene| overlays(scene, values)).unwrap_or_default();
    let drawn: usize = overlays.iter().flatten().map(|overlay| overlay.rgba.len()).sum();
    let mut overlays = overlays.into_iter();

    let prediction = |record: &[f32]| {
        let class = record[0] as usize;
        // Softmax is undefined for scores that are not finite.
        let softmax = if record[3] > 0.0 { f32::NAN } else { record[2] };
        let probability = model.scores().probability(record[1], softmax);
        Prediction { class, label: model.label(class), logit: record[1], probability }
    };
    let map = |numbers: &[u8], [height, width]: [usize; 2], i: usize| {
        let plane = height * width * 4;
        let own = numbers.get(i * plane..(i + 1) * plane)?;
        Some(Map { height, width, values: bytemuck::pod_collect_to_vec(own) })
    };
    let explain = |image: usize| {
        let mut own = overlays.next().map(Vec::into_iter);
        let scores_not_finite = records[image * recipe.records * 4 + 3];
        let records: Vec<Prediction> =
            records[image * recipe.records * 4..][..recipe.records * 4].chunks(4).map(prediction).collect();
        let heatmaps = prepared.places(image).enumerate().map(|(j, (method, i))| {
            let range = &ranges[i * 4..];
            Heatmap {
                prediction: records[j / built.maps.len()].clone(),
                method,
                status: Status::of(range[0], range[1], range[2] + scores_not_finite),
                completeness: sums.get(image * recipe.maps + j / built.maps.len()).and_then(|sums| {
                    let (expected, found) = sums.split_last().filter(|_| method == Method::IntegratedGradients)?;
                    Some((found.iter().sum::<f32>() - expected) / expected.abs())
                }),
                similarity: similarities.get(image).copied(),
                raw: map(raw, layer_size, i),
                heatmap: map(heatmaps, [h, w], i),
                overlay: own.as_mut().and_then(Iterator::next),
            }
        });
        let ranking = if recipe.ranked { &records[..] } else { &records[recipe.maps..] };
        Explanation {
            heatmaps: heatmaps.collect(),
            predictions: ranking.iter().take(recipe.outputs.predictions).cloned().collect(),
            embedding: embeddings.chunks(built.embedding.max(1)).nth(image).map(<[f32]>::to_vec),
            logits: logits.chunks(model.classes()).nth(image).map(<[f32]>::to_vec),
        }
    };
    Batch { explanations: (0..n).map(explain).collect(), stats, layer_size, _share: Share::of(drawn as u64) }
}
