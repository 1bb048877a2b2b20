//! What a method is: a row that says what it needs, and how it makes a map of that.

use crate::graph::{Graph, GraphError, NodeId, Rule};

/// A method.
pub struct Row {
    /// Its name on the command line.
    pub name: &'static str,
    /// Where it looks.
    pub at: At,
    /// How gradients come there; none for a method that needs no gradients.
    pub rule: Option<Rule>,
    /// Appends the map of a layer, `[maps,1,h,w]`, signed and unscaled.
    pub raw: fn(&mut Graph, &Layer) -> Result<NodeId, GraphError>,
}

/// Where a method looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// At the layers that were chosen.
    Layers,
    /// At the pixels: the normalised images.
    Pixels,
}

/// What a method gets of a layer, or of the pixels.
pub struct Layer {
    /// Its values, `[n,c,h,w]`.
    pub activations: NodeId,
    /// Gradients of the class scores with respect to them, `[maps,c,h,w]`, if the row asks for any.
    pub gradients: Option<NodeId>,
}

impl Layer {
    /// The gradients of a method that asks for them.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if it does not.
    pub fn gradients(&self) -> Result<NodeId, GraphError> {
        self.gradients.ok_or_else(|| GraphError::no_operands("a method without gradients"))
    }
}
