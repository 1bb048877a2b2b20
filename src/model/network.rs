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
    /// What brings values into the image's rows and columns that do not lie so, by their names.
    pub grids: BTreeMap<String, Rearrange>,
}

impl Network {
    /// The node of a module's output. A negative component counts from the end: `blocks.-1`.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with similar paths.
    pub fn layer(&self, path: &str) -> Result<NodeId> {
        self.named(path).map(|(_, node)| *node)
    }

    /// What brings a layer into the image's rows and columns, if it does not lie so.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with similar paths.
    pub fn grid(&self, path: &str) -> Result<Option<&Rearrange>> {
        self.named(path).map(|(name, _)| self.grids.get(name))
    }

    fn named(&self, path: &str) -> Result<&(String, NodeId)> {
        let alias = self.aliases.iter().find(|(name, _)| name == path);
        layers::resolve(&self.modules, path).or_else(|error| alias.ok_or(error))
    }
}
