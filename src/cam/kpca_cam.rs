//! KPCA-CAM: Karmani et al., arXiv 2410.00267.

use super::method::{Layer, Row};
use super::principal::principal_of_kernel;
use crate::graph::{Graph, GraphError, NodeId};

pub const ROW: Row = Row { name: "kpca-cam", rule: None, raw, ..Row::USUAL };

/// The first principal component of `A` under a sigmoid kernel. It is the same for all classes.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    principal_of_kernel(graph, layer.activations)
}
