//! Eigen-CAM: Muhammad and Yeasin, arXiv 2008.00299.

use super::method::{Layer, Row};
use super::principal::principal;
use crate::graph::{Graph, GraphError, NodeId};

pub const ROW: Row = Row { name: "eigencam", rule: None, raw, ..Row::USUAL };

/// The first principal component of `A`. It is the same for all classes.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    principal(graph, layer.activations)
}
