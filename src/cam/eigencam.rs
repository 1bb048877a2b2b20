//! Eigen-CAM: Muhammad and Yeasin, arXiv 2008.00299.

use super::method::{At, Layer, Row};
use super::principal::principal;
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId};

pub const ROW: Row = Row { name: "eigencam", at: At::Layers, rule: None, passes: Passes::One, raw };

/// The first principal component of `A`. It is the same for all classes.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    principal(graph, layer.activations)
}
