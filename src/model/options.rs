//! What a caller says about a model.

use serde_json::{Value, json};

use super::facts::{Facts, Origin};
use super::preprocess::{CropMode, Interpolation};
use super::scores::Scores;
use crate::graph::Activation;

/// How to open a model. What is not set is what the model's files say.
///
/// ```
/// use gradcam::ModelOptions;
///
/// let options = ModelOptions::default().architecture("resnet18").size([224, 320]).labels(["cat", "dog"]);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default)]
pub struct ModelOptions {
    pub(super) architecture: Option<String>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) strict: bool,
    pub(super) prefix: Option<String>,
    pub(super) head_activation: Option<Activation>,
    pub(super) input: Option<String>,
    pub(super) score: Option<String>,
    pub(super) grid: Option<[usize; 2]>,
    pub(super) region: Option<[f64; 4]>,
    pub(super) beside: Vec<(String, Vec<u8>)>,
    facts: Facts,
}

impl ModelOptions {
    /// Sets the architecture: a name of [`crate::model::zoo`], perhaps with a tag of its weights, as in
    /// `resnet18.a1_in1k`. The tag says how photos are prepared.
    #[must_use]
    pub fn architecture(mut self, name: impl Into<String>) -> Self {
        self.architecture = Some(name.into());
        self
    }

    /// Sets the names of the classes, in order.
    #[must_use]
    pub fn labels<T: Into<String>>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
        self.labels = Some(labels.into_iter().map(Into::into).collect());
        self
    }

    /// Sets what the class scores mean as probabilities.
    #[must_use]
    pub fn scores(self, scores: Scores) -> Self {
        self.fact("scores", json!(scores))
    }

    /// Sets whether tensors outside the network are an error. Otherwise they are ignored with a remark.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Sets what stands before the names of the network's tensors, where the file holds several networks.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Sets the activation between the linear layers of a classifier of one's own. Tensors do not tell it.
    #[must_use]
    pub fn head_activation(mut self, activation: Activation) -> Self {
        self.head_activation = Some(activation);
        self
    }

    /// Sets which input of an ONNX file takes the images, where it has several.
    #[must_use]
    pub fn input(mut self, name: impl Into<String>) -> Self {
        self.input = Some(name.into());
        self
    }

    /// Sets which output of an ONNX file holds the class scores. Otherwise it is the first.
    #[must_use]
    pub fn score(mut self, name: impl Into<String>) -> Self {
        self.score = Some(name.into());
        self
    }

    /// Sets rows and columns of a transformer's patches, where an ONNX file does not tell them.
    #[must_use]
    pub fn grid(mut self, grid: [usize; 2]) -> Self {
        self.grid = Some(grid);
        self
    }

    /// Sets the box over which scores with rows and columns are averaged, as of a segmentation: left, top, right and bottom, as
    /// parts of the image's sides. For ONNX files.
    #[must_use]
    pub fn region(mut self, region: [f64; 4]) -> Self {
        self.region = Some(region);
        self
    }

    /// Adds a file that belongs to the weights: `config.json` or `preprocessor_config.json`. For [`crate::Model::parse`], which
    /// has no folder to find them in.
    #[must_use]
    pub fn beside(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.beside.push((name.into(), bytes.into()));
        self
    }

    /// Sets height and width of the input.
    #[must_use]
    pub fn size(self, size: [usize; 2]) -> Self {
        self.fact("input_size", json!(size))
    }

    /// Sets height and width that photos are resized to before the crop.
    #[must_use]
    pub fn resize(self, resize: [usize; 2]) -> Self {
        self.fact("resize", json!(resize))
    }

    /// Sets the part of the resized photo's sides that the crop keeps, instead of [`ModelOptions::resize`].
    #[must_use]
    pub fn crop_pct(self, part: f64) -> Self {
        self.fact("crop_pct", json!(part))
    }

    /// Sets how photos of another aspect meet the input.
    #[must_use]
    pub fn crop_mode(self, mode: CropMode) -> Self {
        self.fact("crop_mode", json!(mode))
    }

    /// Sets the filter that resizes photos.
    #[must_use]
    pub fn interpolation(self, filter: Interpolation) -> Self {
        self.fact("interpolation", json!(filter))
    }

    /// Sets the mean of each channel, or of all of them, in units of 0..1.
    #[must_use]
    pub fn mean(self, mean: &[f32]) -> Self {
        self.fact("mean", json!(mean))
    }

    /// Sets the standard deviation of each channel, or of all of them, in units of 0..1.
    #[must_use]
    pub fn std(self, std: &[f32]) -> Self {
        self.fact("std", json!(std))
    }

    /// Sets whether the network converts from ImageNet's normalisation to mean and deviation 1/2, as torchvision's
    /// trained GoogLeNet and Inception do.
    #[must_use]
    pub fn transform_input(self, transform: bool) -> Self {
        self.fact("transform_input", json!(transform))
    }

    /// What was set, as facts.
    pub(super) fn facts(&self) -> Facts {
        self.facts.clone()
    }

    fn fact(mut self, name: &str, value: Value) -> Self {
        self.facts.note(name, value, Origin::Option);
        self
    }
}
