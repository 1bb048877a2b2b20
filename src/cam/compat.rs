//! How other libraries go from raw maps to heat maps, where they differ.

/// The library whose steps are followed. What each does is told in `docs/methods.md`, and how closely it is met in
/// `docs/numerics.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Compat {
    /// pytorch-grad-cam's heat maps, and overlays of this crate's own.
    #[default]
    None,
    /// pytorch-grad-cam 1.5: maps are scaled, enlarged, averaged over layers and scaled again. Overlays are brightened until
    /// their greatest number is 1.
    PytorchGradCam,
    /// TorchCAM 0.5: maps are scaled, the greatest over layers is taken, and enlarged by a cubic. Overlays show its square.
    #[serde(rename = "torchcam")]
    TorchCam,
    /// Captum 0.9: maps are not scaled, nor is a ReLU taken. They are enlarged without interpolation.
    Captum,
    /// tf-keras-vis 0.8: maps are enlarged so that the corners' centres meet, then scaled.
    TfKerasVis,
}
