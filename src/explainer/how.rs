//! How a batch is explained.

use std::sync::Arc;

use crate::cam::{Compat, Finish, Method, Normalise, Sampling, Smoothing, Target};

/// What an explainer's plans depend on, besides the kind of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct How {
    pub methods: Vec<Method>,
    /// Module paths of the layers that methods look at.
    pub layers: Vec<String>,
    pub target: Target,
    /// The embedding whose similarity is explained, instead of a target of class scores.
    pub similar_to: Option<Arc<[f32]>>,
    pub normalise: Normalise,
    pub sampling: Sampling,
    pub smoothing: Smoothing,
    pub compat: Compat,
    /// Whether layers that end in an activation are looked at before it.
    pub before_activation: bool,
}

impl How {
    /// Grad-CAM at these layers.
    pub fn at(layers: Vec<String>) -> Self {
        Self {
            methods: vec![Method::default()],
            layers,
            target: Target::default(),
            similar_to: None,
            normalise: Normalise::default(),
            sampling: Sampling::default(),
            smoothing: Smoothing::default(),
            compat: Compat::default(),
            before_activation: false,
        }
    }

    /// What becomes of raw maps.
    pub fn finish(&self) -> Finish {
        Finish { normalise: self.normalise, eigen: self.smoothing.eigen, compat: self.compat }
    }
}
