//! How a raw map becomes a heat map.

/// What is done with a map's values before they are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Normalise {
    /// What speaks for the class, between its least and greatest value, as pytorch-grad-cam does: 0..1.
    #[default]
    MinMax,
    /// What speaks for the class, as a part of the greatest value: 0..1.
    Max,
    /// What speaks for the class, as a part of the value that 99 of 100 do not exceed, and at most 1. Single pixels of a gradient
    /// are often much stronger than all others.
    Percentile,
    /// What speaks for the class and what speaks against it, as a part of the greatest magnitude: -1..1.
    Signed,
    /// The raw values. Nothing can be drawn with them.
    None,
}

impl Normalise {
    /// Whether values are in -1..1.
    pub fn is_signed(self) -> bool {
        self == Self::Signed
    }
}
