//! A network that was built.

use super::layers;
use crate::error::Result;
use crate::graph::{Graph, NodeId};

/// A built network.
pub struct Network {
    /// Its graph.
    pub graph: Graph,
    /// The node that takes the images: pixels, or normalised numbers `[n,3,h,w]`.
    pub input: NodeId,
    /// The images as normalised features, where gradients of pixels end.
    pub features: NodeId,
    /// The class scores before softmax, `[n,classes,1,1]`.
    pub logits: NodeId,
    /// Module paths with the nodes of their outputs, in PyTorch's order.
    pub modules: Vec<(String, NodeId)>,
}

impl Network {
    /// The node of a module's output. A negative component counts from the end: `blocks.-1`.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with near paths.
    pub fn layer(&self, path: &str) -> Result<NodeId> {
        layers::resolve(&self.modules, path)
    }
}
