//! What a recipe of maps ends with.

use crate::graph::NodeId;

/// The output nodes of a recipe. Each holds the maps of all methods: those of the first method for all images and classes, then
/// those of the next.
pub struct Maps {
    /// The raw maps: signed, not rescaled, at the layer's size. None if several layers are fused, or sizes differ.
    pub raw: Option<NodeId>,
    /// Range of the raw or fused maps, from which the status is computed.
    pub range: NodeId,
    /// The heat maps at the input's size.
    pub heatmap: NodeId,
    /// The place of each method's first map among all.
    pub firsts: Vec<usize>,
}
