//! Class activation maps, as short recipes over activations and gradients.

mod status;

pub use status::Status;

use std::str::FromStr;

use crate::error::Error;
use crate::graph::{Graph, GraphError, NodeId, Op};

/// How activations and gradients become a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Selvaraju et al., arXiv 1610.02391: `Σ_k mean(G_k) · A_k`.
    #[default]
    GradCam,
}

impl Method {
    /// Every method with its name on the command line.
    pub const ALL: [(&'static str, Self); 1] = [("gradcam", Self::GradCam)];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, m)| *m == self).map_or("", |(name, _)| name)
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|(n, _)| *n == name).map(|(_, method)| *method);
        found.ok_or_else(|| Error::unknown("method", name, "gradcam explain --help", Self::ALL.iter().map(|(n, _)| *n)))
    }
}

/// The nodes of a map.
pub struct Maps {
    /// Signed and unscaled, at the layer's size.
    pub raw: NodeId,
    /// Range of `raw`, for the status.
    pub range: NodeId,
    /// At the input's size, in 0..1.
    pub heatmap: NodeId,
}

/// Appends the recipe of `method` for activations `a` and gradients `g`, up to a heat map of `size`.
///
/// # Errors
/// [`GraphError::Shape`] if the operands do not fit.
pub fn recipe(graph: &mut Graph, method: Method, a: NodeId, g: NodeId, size: [usize; 2]) -> Result<Maps, GraphError> {
    let raw = match method {
        Method::GradCam => {
            let weights = graph.push(Op::Mean, &[g])?;
            graph.push(Op::WeightedSum, &[a, weights])?
        }
    };
    let range = graph.push(Op::MinMax, &[raw])?;
    // pytorch-grad-cam's order: ReLU, rescale, resize, rescale again.
    let positive = graph.push(Op::ReluMap, &[raw])?;
    let scaled = rescale(graph, positive)?;
    let resized = graph.push(Op::Resize { to: size }, &[scaled])?;
    Ok(Maps { raw, range, heatmap: rescale(graph, resized)? })
}

fn rescale(graph: &mut Graph, map: NodeId) -> Result<NodeId, GraphError> {
    let range = graph.push(Op::MinMax, &[map])?;
    graph.push(Op::Rescale, &[map, range])
}
