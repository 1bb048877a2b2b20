//! Networks and images that do not need files.

use std::path::Path;

use gradcam::{Error, Model, Result};

/// Number of classes of networks without weights, as in ImageNet.
const CLASSES: usize = 1000;

/// Normalised images of noise.
pub fn values(shape: [usize; 4]) -> Vec<f32> {
    gradcam::model::seeded::unit("images", shape.iter().product()).map(|u| u * 4.0 - 2.0).collect()
}

/// Opens the bundled model, a file, or an architecture with weights from a formula.
pub fn open(network: &str) -> Result<Model> {
    if network == gradcam::model::BUNDLED || Path::new(network).extension().is_some() {
        return Model::open(network, &gradcam::ModelOptions::default());
    }
    Model::seeded(network, CLASSES, 1.0).map_err(|error| match error {
        Error::Unknown { name, suggestions, list, .. } => Error::Unknown { kind: "network", name, suggestions, list },
        other => other,
    })
}
