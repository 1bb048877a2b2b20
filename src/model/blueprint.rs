//! What every importer makes of a file.

use crate::error::Result;
use crate::graph::{Graph, NodeId};

/// A network as an importer understood it, to be built for any batch and input size.
pub trait Blueprint: Send + Sync {
    /// What it is called.
    fn architecture(&self) -> &str;

    /// Module path of the last feature map before global pooling.
    fn default_layer(&self) -> &str;

    /// Number of classes.
    fn classes(&self) -> usize;

    /// Appends the network to a graph that ends with normalised images, the features of node `x`.
    ///
    /// # Errors
    /// [`crate::Error::Graph`] if the images are too small for the network.
    fn append(&self, graph: Graph, x: NodeId) -> Result<Appended>;
}

/// A graph with a network.
pub struct Appended {
    /// Images and network.
    pub graph: Graph,
    /// The class scores before softmax, `[n,classes,1,1]`.
    pub logits: NodeId,
    /// Module paths with the nodes of their outputs, in PyTorch's order.
    pub modules: Vec<(String, NodeId)>,
}
