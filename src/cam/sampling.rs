//! Methods that need several images.

/// Which images a method takes gradients of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// The image itself.
    One,
    /// The image itself. Nothing but a global mean and a linear layer may follow the layer.
    Classifier,
    /// The image itself. Explained is what tells the class from those with the closest scores.
    Closest,
    /// The image itself, with gradients wherever a bias is added to a feature map.
    Biases,
    /// The image itself, by Grad-CAM and by guided backpropagation.
    UnderGradCam,
    /// Images on the straight way from a baseline, the mean colour, to the image.
    Path,
    /// The image with noise.
    Noise(Moment),
    /// Many images, of which some part is seen. It takes scores, no gradients.
    Masked(Masked),
}

impl Passes {
    /// Whether the image itself passes forward and backward once.
    pub fn is_one(self) -> bool {
        matches!(self, Self::One | Self::Classifier | Self::Closest | Self::Biases)
    }
}

/// What is seen of an image or of a layer's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masked {
    /// The image through one channel of the layer, enlarged and scaled to 0..1.
    ThroughChannel,
    /// All channels but one.
    WithoutChannel,
    /// One pixel.
    OnePixel,
    /// The image without a square, which becomes the mean colour.
    Square,
    /// The image through a random grid.
    Random,
}

/// What is taken of the gradients under noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Their mean.
    Mean,
    /// The mean of their squares.
    Square,
    /// Their variance.
    Variance,
    /// The means of their first three powers, one after another as channels.
    Powers,
}

/// How methods that need several images make them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sampling {
    /// How many images they take; 50 steps of a path, 25 samples of noise and 1000 random masks if not given.
    pub samples: Option<usize>,
    /// Standard deviation of the noise, as a part of the difference between the image's least and greatest number.
    pub noise: f32,
    /// Other noise and other masks for another seed.
    pub seed: u32,
    /// Of methods that try each channel, how many they try: those whose values differ most. All if not given.
    pub channels: Option<usize>,
    /// Side of the squares of [`crate::Method::Occlusion`], in pixels of the input; an eighth of the input's longer side if
    /// not given. They are half a side apart.
    pub patch: Option<usize>,
}

impl Default for Sampling {
    /// SmoothGrad's authors' noise.
    fn default() -> Self {
        Self { samples: None, noise: 0.15, seed: 0, channels: None, patch: None }
    }
}

impl Sampling {
    /// Sets the number of images.
    #[must_use]
    pub fn samples(self, samples: impl Into<Option<usize>>) -> Self {
        Self { samples: samples.into(), ..self }
    }

    /// Sets the deviation of the noise.
    #[must_use]
    pub fn noise(self, noise: f32) -> Self {
        Self { noise, ..self }
    }

    /// Sets the seed of noise and masks.
    #[must_use]
    pub fn seed(self, seed: u32) -> Self {
        Self { seed, ..self }
    }

    /// Sets how many channels are tried.
    #[must_use]
    pub fn channels(self, channels: impl Into<Option<usize>>) -> Self {
        Self { channels: channels.into(), ..self }
    }

    /// Sets the side of a square.
    #[must_use]
    pub fn patch(self, patch: impl Into<Option<usize>>) -> Self {
        Self { patch: patch.into(), ..self }
    }

    /// How many images a method takes.
    pub(crate) fn count(&self, passes: Passes) -> usize {
        let usual = match passes {
            Passes::Path => 50,
            Passes::Masked(_) => 1000,
            _ => 25,
        };
        self.samples.unwrap_or(usual).max(1)
    }
}
