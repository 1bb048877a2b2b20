//! Methods that need several images.

/// Which images a method takes gradients of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// The image itself.
    One,
    /// The image itself, by Grad-CAM and by guided backpropagation.
    UnderGradCam,
    /// Images on the straight way from a baseline, the mean colour, to the image.
    Path,
    /// The image with noise.
    Noise(Moment),
    /// Many images, of which some part is seen. It takes scores, no gradients.
    Masked(Masked),
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
}

/// How gradients are averaged by methods that do so.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sampling {
    /// How many images they take; 50 steps of a path and 25 samples of noise if not given.
    pub samples: Option<usize>,
    /// Standard deviation of the noise, as a part of the difference between the image's least and greatest number.
    pub noise: f32,
    /// Other noise for another seed.
    pub seed: u32,
}

impl Default for Sampling {
    /// SmoothGrad's authors' noise.
    fn default() -> Self {
        Self { samples: None, noise: 0.15, seed: 0 }
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

    /// Sets the seed of the noise.
    #[must_use]
    pub fn seed(self, seed: u32) -> Self {
        Self { seed, ..self }
    }

    /// How many images a method takes.
    pub(crate) fn count(&self, passes: Passes) -> usize {
        let usual = if passes == Passes::Path { 50 } else { 25 };
        self.samples.unwrap_or(usual).max(1)
    }
}
