//! Why a graph cannot be built.

use super::value::NodeId;

/// Why a graph cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Operands do not fit the operation.
    #[error("{op}{}: {reason}", of(module))]
    Shape {
        /// The operation's name.
        op: String,
        /// Path of the module that it is in, or nothing.
        module: String,
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
        Self::Shape { op: op.into(), module: String::new(), reason: "no operands".into() }
    }

    /// The same, in this module, unless it is in an inner one.
    pub(crate) fn within(mut self, path: &str) -> Self {
        if let Self::Shape { module, .. } = &mut self
            && module.is_empty()
        {
            path.clone_into(module);
        }
        self
    }

    /// The same, with what would fit.
    pub(crate) fn with_remedy(mut self, remedy: &str) -> Self {
        if let Self::Shape { reason, .. } = &mut self {
            *reason += "; ";
            *reason += remedy;
        }
        self
    }
}

fn of(module: &str) -> String {
    if module.is_empty() { String::new() } else { format!(" of '{module}'") }
}
