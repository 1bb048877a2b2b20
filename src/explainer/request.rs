//! What is asked for.

use crate::picture::{Colormap, Photo};

/// Which classes to explain.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What to bring back besides the scores; nothing else crosses the bus.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
