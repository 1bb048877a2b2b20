//! Why a graph cannot be built.

use super::value::NodeId;

/// Why a graph cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Operands do not fit the operation.
    #[error("{op}: {reason}")]
    Shape {
        /// The operation, printed.
        op: String,
        /// What does not fit.
        reason: String,
    },
    /// The target does not lead to the logits.
    #[error("the class score does not depend on node {0}")]
    NoPath(NodeId),
    /// The operation has no derivative that Grad-CAM needs.
    #[error("{0} has no backward pass")]
    NoGradient(String),
}

impl GraphError {
    /// An operation that needs operands was given none.
    pub(crate) fn no_operands(op: &str) -> Self {
        Self::Shape { op: op.into(), reason: "no operands".into() }
    }
}
