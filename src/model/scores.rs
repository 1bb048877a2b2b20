//! What class scores mean as probabilities.

use serde_json::Value;

use super::facts::{Facts, Origin};
use crate::error::Result;

/// How a class score becomes a probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Scores {
    /// The classes exclude each other: softmax over all scores.
    #[default]
    Softmax,
    /// Each class for itself: the sigmoid of its score.
    Sigmoid,
    /// The scores are no logits, so there are no probabilities.
    None,
}

impl Scores {
    /// What the facts about the model `what` say. One class alone is a yes or no; several are assumed to exclude each
    /// other.
    ///
    /// # Errors
    /// [`crate::Error::Weights`] if an entry makes no sense.
    pub(super) fn of(what: &str, facts: &Facts, classes: usize) -> Result<(Self, Origin)> {
        let named = |value: &Value| serde_json::from_value(value.clone()).ok();
        let known = facts.read(what, "scores", "softmax, sigmoid or none is needed", named)?;
        let usual = || if classes == 1 { (Self::Sigmoid, Origin::Tensors) } else { (Self::Softmax, Origin::Assumed) };
        Ok(known.unwrap_or_else(usual))
    }

    /// The probability of a class with this score, whose softmax is given.
    pub fn probability(self, logit: f32, softmax: f32) -> f32 {
        match self {
            Self::Softmax => softmax,
            Self::Sigmoid => (1.0 / (1.0 + libm::exp(-f64::from(logit)))) as f32,
            Self::None => f32::NAN,
        }
    }
}
