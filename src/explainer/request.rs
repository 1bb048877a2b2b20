//! What a caller asks for.

use crate::picture::{Colormap, Photo};

/// Which classes to explain.
///
/// ```
/// use gradcam::Classes;
///
/// let (best, cat_and_dog) = (Classes::Top(1), Classes::Chosen(vec![282, 243]));
/// # assert_ne!(best, cat_and_dog);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Classes {
    /// The most probable ones, chosen on the device for each image.
    Top(usize),
    /// The same ones for every image.
    Chosen(Vec<usize>),
    /// Classes of each image, equally many for all images.
    PerImage(Vec<Vec<usize>>),
}

/// The images to explain.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Images<'a> {
    /// Photos of any size.
    Photos(&'a [Photo]),
    /// Normalised numbers.
    Tensor {
        /// `[n, channels, h, w]`.
        shape: [usize; 4],
        /// Row-major.
        values: &'a [f32],
    },
}

/// Colours of an overlay.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Style {
    /// Opacity of the colours, 0 to 1.
    pub alpha: f32,
    /// How heat becomes colour.
    pub colormap: Colormap,
}

impl Default for Style {
    fn default() -> Self {
        Self { alpha: 0.5, colormap: Colormap::default() }
    }
}

impl Style {
    /// Sets the opacity, 0 to 1.
    #[must_use]
    pub fn alpha(self, alpha: f32) -> Self {
        Self { alpha, ..self }
    }

    /// Sets the colours.
    #[must_use]
    pub fn colormap(self, colormap: Colormap) -> Self {
        Self { colormap, ..self }
    }

    /// The colours from cold to hot, each with its opacity: what `Op::Overlay` takes.
    pub(crate) fn colours(self) -> Vec<f32> {
        self.colormap.colours().flat_map(|[r, g, b]| [r, g, b, self.alpha]).collect()
    }
}

/// What to read back besides the scores. Nothing else is transferred.
///
/// ```
/// use gradcam::{Outputs, Style};
///
/// let outputs = Outputs::default().predictions(3).heatmap(true).overlay(Style::default().alpha(0.4));
/// assert!(outputs.heatmap && !outputs.logits);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Outputs {
    /// How many of the most probable classes to name, whatever classes are explained.
    pub predictions: usize,
    /// All class scores before softmax.
    pub logits: bool,
    /// What the class scores are a linear function of, for [`crate::Explainer::with_similar_to`].
    pub embedding: bool,
    /// Maps at the layer's size, signed and unscaled. There are none if several layers are fused.
    pub raw: bool,
    /// Maps at the input's size, in 0..1.
    pub heatmap: bool,
    /// Overlays at each photo's own size, drawn on the device.
    pub overlay: Option<Style>,
    /// When the device began and ended, by its own clock.
    pub clock: bool,
}

impl Outputs {
    /// Sets how many of the most probable classes are named.
    #[must_use]
    pub fn predictions(self, predictions: usize) -> Self {
        Self { predictions, ..self }
    }

    /// Sets whether all class scores are read back.
    #[must_use]
    pub fn logits(self, logits: bool) -> Self {
        Self { logits, ..self }
    }

    /// Sets whether embeddings are read back.
    #[must_use]
    pub fn embedding(self, embedding: bool) -> Self {
        Self { embedding, ..self }
    }

    /// Sets whether raw maps are read back.
    #[must_use]
    pub fn raw(self, raw: bool) -> Self {
        Self { raw, ..self }
    }

    /// Sets whether heat maps are read back.
    #[must_use]
    pub fn heatmap(self, heatmap: bool) -> Self {
        Self { heatmap, ..self }
    }

    /// Sets the style of overlays. `None` requests no overlays.
    #[must_use]
    pub fn overlay(self, style: impl Into<Option<Style>>) -> Self {
        Self { overlay: style.into(), ..self }
    }

    /// Sets whether the device's clock is read.
    #[must_use]
    pub fn clock(self, clock: bool) -> Self {
        Self { clock, ..self }
    }
}
