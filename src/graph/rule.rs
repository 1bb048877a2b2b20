//! How gradients pass a ReLU.

/// How the gradient `dy` passes a ReLU `y = max(x, 0)`. Other activations keep their derivative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The derivative: `dy` where `x > 0`.
    #[default]
    Standard,
    /// Guided backpropagation, Springenberg et al., arXiv 1412.6806: `max(dy, 0)` where `x > 0`.
    Guided,
    /// Deconvolution, Zeiler and Fergus, arXiv 1311.2901: `max(dy, 0)`.
    Deconvolution,
}
