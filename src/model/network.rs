//! A built network.

use super::layers;
use crate::error::Result;
use crate::graph::{Graph, NodeId};

/// A network, built for a batch and an input size.
pub struct Network {
    /// Its graph.
    pub graph: Graph,
    /// The node that takes the images: pixels, or normalised numbers `[n,3,h,w]`.
    pub input: NodeId,
    /// The images as normalised features. The backward pass to the pixels ends here.
    pub features: NodeId,
    /// The class scores before softmax, `[n,classes,1,1]`.
    pub logits: NodeId,
    /// Module paths with their output nodes, in PyTorch's order.
    pub modules: Vec<(String, NodeId)>,
}

impl Network {
    /// The node of a module's output. A negative component counts from the end: `blocks.-1`.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with similar paths.
    pub fn layer(&self, path: &str) -> Result<NodeId> {
        layers::resolve(&self.modules, path)
    }
}
