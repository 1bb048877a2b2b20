//! What is asked for.

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
    /// For each image its own, equally many.
    PerImage(Vec<Vec<usize>>),
}

/// What to look at.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Images<'a> {
    /// Photos of any size.
    Photos(&'a [Photo]),
    /// Normalised numbers.
    Tensor {
        /// `[n, 3, h, w]`.
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
    /// The same with this opacity, 0 to 1.
    #[must_use]
    pub fn alpha(self, alpha: f32) -> Self {
        Self { alpha, ..self }
    }

    /// The same with these colours.
    #[must_use]
    pub fn colormap(self, colormap: Colormap) -> Self {
        Self { colormap, ..self }
    }
}

/// What to bring back besides the scores; nothing else crosses the bus.
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
    /// How many of the most probable classes to name, whatever the classes explained.
    pub predictions: usize,
    /// All class scores before softmax.
    pub logits: bool,
    /// Maps at the layer's size, signed and unscaled; there are none where several layers are fused.
    pub raw: bool,
    /// Maps at the input's size, in 0..1.
    pub heatmap: bool,
    /// Pictures at each photo's own size, drawn on the device.
    pub overlay: Option<Style>,
    /// When the device began and ended, by its own clock.
    pub clock: bool,
}

impl Outputs {
    /// The same with so many of the most probable classes named.
    #[must_use]
    pub fn predictions(self, predictions: usize) -> Self {
        Self { predictions, ..self }
    }

    /// The same with all class scores, or without.
    #[must_use]
    pub fn logits(self, logits: bool) -> Self {
        Self { logits, ..self }
    }

    /// The same with raw maps, or without.
    #[must_use]
    pub fn raw(self, raw: bool) -> Self {
        Self { raw, ..self }
    }

    /// The same with heat maps, or without.
    #[must_use]
    pub fn heatmap(self, heatmap: bool) -> Self {
        Self { heatmap, ..self }
    }

    /// The same with pictures of this style, or without for `None`.
    #[must_use]
    pub fn overlay(self, style: impl Into<Option<Style>>) -> Self {
        Self { overlay: style.into(), ..self }
    }

    /// The same with the device's clock, or without.
    #[must_use]
    pub fn clock(self, clock: bool) -> Self {
        Self { clock, ..self }
    }
}
