//! What an importer makes of a weights file.

use std::collections::BTreeMap;

use super::weights::Tensor;
use super::zoo::Library;
use crate::error::Result;
use crate::graph::{Graph, NodeId, Rearrange};

/// A network that an importer has recognised. It can be built for any batch and input size.
pub trait Blueprint: Send + Sync {
    /// The architecture's name.
    fn architecture(&self) -> &str;

    /// The library that the architecture is from, if it is from one.
    fn library(&self) -> Option<Library>;

    /// Module path of the last feature map before global pooling.
    fn default_layer(&self) -> &str;

    /// Number of classes.
    fn classes(&self) -> usize;

    /// Number of channels of the input.
    fn channels(&self) -> usize;

    /// Height and width of the input, unless metadata says otherwise.
    fn size(&self) -> [usize; 2];

    /// The trained tensors, under PyTorch's names as far as they are known.
    fn tensors(&self) -> Vec<Tensor>;

    /// Appends the network to `graph`. Node `x` holds the normalised images as features.
    ///
    /// # Errors
    /// [`crate::Error::Graph`] if the images are too small for the network.
    fn append(&self, graph: Graph, x: NodeId) -> Result<Appended>;

    /// Whether the scores are those of a part of the image.
    fn has_region(&self) -> bool {
        false
    }
}

/// A graph that contains a network.
pub struct Appended {
    /// The images and the network.
    pub graph: Graph,
    /// The class scores before softmax, `[n,classes,1,1]`.
    pub logits: NodeId,
    /// Module paths with their output nodes, in PyTorch's order.
    pub modules: Vec<(String, NodeId)>,
    /// Further names of nodes.
    pub aliases: Vec<(String, NodeId)>,
    /// What brings values into the image's rows and columns that do not lie so, by their names.
    pub grids: BTreeMap<String, Rearrange>,
}
