//! How a batch is explained.

use crate::cam::{Method, Normalise, Sampling, Target};

/// What an explainer's plans depend on, besides the kind of a batch.
#[derive(Clone, Debug)]
pub struct How {
    pub methods: Vec<Method>,
    /// Module paths of the layers that methods look at.
    pub layers: Vec<String>,
    pub target: Target,
    pub normalise: Normalise,
    pub sampling: Sampling,
}
