//! A method's table row: what the method needs, and how it makes a map.

use super::fusion::Fusion;
use super::sampling::Passes;
use crate::graph::{Graph, GraphError, NodeId, Rule};

/// A method. Its file names what it does not share with [`Row::USUAL`].
pub struct Row {
    /// Its name on the command line.
    pub name: &'static str,
    /// Where it takes activations and gradients.
    pub at: At,
    /// How gradients pass a ReLU on the way there. None for a method without gradients.
    pub rule: Option<Rule>,
    /// Of which images it takes gradients.
    pub passes: Passes,
    /// Appends a layer's map, `[maps,1,h,w]`, signed and not rescaled.
    pub raw: fn(&mut Graph, &Layer) -> Result<NodeId, GraphError>,
    /// What becomes of the maps of several layers.
    pub fusion: Fusion,
}

impl Row {
    /// What its maps' size and steps depend on.
    pub fn kind(&self) -> (At, Fusion) {
        (self.at, self.fusion)
    }
}

/// Where a method takes activations and gradients.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// At the layers that the caller chooses.
    Layers,
    /// At the pixels, that is, at the normalised images.
    Pixels,
}

/// A method's operands at one layer, or at the pixels.
#[derive(Clone, Copy)]
pub struct Layer {
    /// The layer's values, `[n,c,h,w]`; of [`Passes::UnderGradCam`] Grad-CAM's heat maps, `[maps,1,h,w]`.
    pub activations: NodeId,
    /// Gradients of the class scores with respect to the values, `[maps,c,h,w]`; or of [`Passes::Masked`] a number for each
    /// channel or pixel, `[maps,count,1,1]`, or a map. None for a method without either.
    pub gradients: Option<NodeId>,
}

impl Layer {
    /// The gradients.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if there are none.
    pub fn gradients(&self) -> Result<NodeId, GraphError> {
        self.gradients.ok_or_else(|| GraphError::no_operands("a method without gradients"))
    }
}
