//! Colour maps with 256 colours.

use std::str::FromStr;

use crate::error::Error;

/// A map from heat to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Colormap {
    /// Blue, cyan, yellow, red: the usual one for Grad-CAM.
    #[default]
    Jet,
    /// Jet's colours with even lightness.
    Turbo,
    /// Purple, green, yellow; safe for colour-blind readers.
    Viridis,
    /// Black, purple, orange, pale yellow.
    Inferno,
    /// Black to white.
    Gray,
    /// Blue, white, red: against, neither, for.
    Bwr,
}

impl Colormap {
    /// All colour maps, with their names.
    pub const ALL: [(&'static str, Self); 6] = [
        ("jet", Self::Jet),
        ("turbo", Self::Turbo),
        ("viridis", Self::Viridis),
        ("inferno", Self::Inferno),
        ("gray", Self::Gray),
        ("bwr", Self::Bwr),
    ];

    /// The 256 colours from cold to hot: red, green, blue, each 0 to 1.
    pub fn colours(self) -> impl Iterator<Item = [f32; 3]> {
        (0..256).map(move |i| self.colour(f64::from(i) / 255.0).map(|v| f32::from(v) / 255.0))
    }

    fn colour(self, heat: f64) -> [u8; 3] {
        let gradient = match self {
            Self::Jet => {
                // Three trapezoids, as in Matlab's and OpenCV's jet.
                let ramp = |centre: f64| (255.0 * (1.5 - (4.0 * heat - centre).abs()).clamp(0.0, 1.0)).round() as u8;
                return [ramp(3.0), ramp(2.0), ramp(1.0)];
            }
            Self::Turbo => colorous::TURBO,
            Self::Viridis => colorous::VIRIDIS,
            Self::Inferno => colorous::INFERNO,
            Self::Bwr => {
                let ramp = |distance: f64| (255.0 * (2.0 * distance).min(1.0)).round() as u8;
                return [ramp(heat), ramp(heat.min(1.0 - heat)), ramp(1.0 - heat)];
            }
            Self::Gray => return [(heat * 255.0).round() as u8; 3],
        };
        gradient.eval_continuous(heat).as_array()
    }
}

impl FromStr for Colormap {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, map)| *map);
        found.ok_or_else(|| {
            Error::unknown("colormap", name, "gradcam explain --help", Self::ALL.iter().map(|(n, _)| *n))
        })
    }
}
