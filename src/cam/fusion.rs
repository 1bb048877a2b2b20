//! What becomes of the maps of several layers.

/// How maps of several layers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fusion {
    /// The mean of the heat maps, as in pytorch-grad-cam.
    Mean,
    /// The product of the heat maps.
    Product,
    /// The sum of the raw maps, each at the input's size. It is scaled as one map.
    Sum,
}
