//! A built network.

use std::collections::BTreeMap;

use super::layers;
use crate::error::Result;
use crate::graph::{Graph, NodeId, Rearrange};

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
    /// Further names of nodes, which are not listed.
    pub aliases: Vec<(String, NodeId)>,
    /// Nodes whose pixels are in one row, with what brings them into the image's rows and columns.
    pub grids: BTreeMap<NodeId, Rearrange>,
}

impl Network {
    /// The node of a module's output. A negative component counts from the end: `blocks.-1`.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with similar paths.
    pub fn layer(&self, path: &str) -> Result<NodeId> {
        let alias = self.aliases.iter().find(|(name, _)| name == path);
        layers::resolve(&self.modules, path).or_else(|error| alias.map(|(_, node)| *node).ok_or(error))
    }
}
