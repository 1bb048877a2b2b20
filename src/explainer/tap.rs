//! The places in a network that methods look at.

use crate::cam::{At, Begin};
use crate::graph::{NodeId, Rearrange};

/// A layer, or the pixels.
pub struct Tap {
    pub at: At,
    pub node: NodeId,
    /// What brings it into the image's rows and columns, if it does not lie so.
    pub grid: Option<Rearrange>,
    /// The node in the image's rows and columns.
    pub placed: NodeId,
}

/// A network in a graph, and where its backward pass begins.
pub struct Begun {
    /// The normalised images.
    pub images: NodeId,
    pub logits: NodeId,
    /// What the target is a function of: the logits or the embeddings.
    pub output: NodeId,
    /// 1 at the class of each map.
    pub one_hot: NodeId,
    pub begin: Begin,
    /// What makes a probability of a logit.
    pub is_sigmoid: bool,
}
