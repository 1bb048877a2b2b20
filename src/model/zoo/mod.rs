//! The architectures, one file a family, each written as its paper's table reads.

mod efficientnet_lite;

use crate::graph::{Builder, GraphError, NodeId};

/// An architecture that weights can be loaded into.
#[derive(Clone, Copy)]
pub struct Architecture {
    /// torchvision's or timm's name.
    pub name: &'static str,
    /// Module path of the last feature map before global pooling.
    pub default_layer: &'static str,
    /// The classifier's module path.
    pub classifier: &'static str,
    /// Appends the network to the builder: image features and number of classes to logits.
    pub build: fn(&mut Builder, NodeId, usize) -> Result<NodeId, GraphError>,
}

/// Every architecture.
pub const ARCHITECTURES: &[Architecture] = &[Architecture {
    name: "tf_efficientnet_lite0",
    default_layer: "bn2",
    classifier: "classifier",
    build: efficientnet_lite::lite0,
}];
