//! Class activation maps, as short recipes over activations and gradients.

mod status;

pub use status::Status;

use std::str::FromStr;

use crate::error::Error;
use crate::graph::{Graph, GraphError, NodeId, Op, Param, gradient_mean};

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
    /// Signed and unscaled, at the layer's size; none if several layers are fused.
    pub raw: Option<NodeId>,
    /// Range of the raw or fused map, for the status.
    pub range: NodeId,
    /// At the input's size, in 0..1.
    pub heatmap: NodeId,
}

/// Appends the recipe of `method` for each layer's activations and gradients, up to one heat map of `size`;
/// several layers are fused by the mean of their heat maps, as pytorch-grad-cam does.
///
/// # Errors
/// [`GraphError::Shape`] if the operands do not fit, or there are none.
pub fn recipe(
    graph: &mut Graph,
    method: Method,
    layers: &[(NodeId, NodeId)],
    size: [usize; 2],
) -> Result<Maps, GraphError> {
    let mut raws = vec![];
    let mut resized = vec![];
    for &(a, g) in layers {
        let raw = match method {
            Method::GradCam => {
                let weights = gradient_mean(graph, g)?;
                graph.push(Op::WeightedSum, &[a, weights])?
            }
        };
        // pytorch-grad-cam's order: ReLU, rescale, resize, and rescale once more after the fusion.
        let range = graph.push(Op::MinMax, &[raw])?;
        let scaled = graph.push(Op::Rescale { positive: true }, &[raw, range])?;
        resized.push(graph.push(Op::Resize { to: size }, &[scaled])?);
        raws.push((raw, range));
    }
    let (first, others) = resized.split_first().ok_or_else(|| GraphError::no_operands("fusion of layers"))?;
    let mut fused = *first;
    for &other in others {
        fused = graph.push(Op::Add, &[fused, other])?;
    }
    let single = others.is_empty().then(|| raws[0]);
    let span = if let Some((raw, range)) = single {
        // Its range is known without making it, from values that are rescaled once more where they are read.
        let scaled = graph.push(Op::Rescale { positive: true }, &[raw, range])?;
        graph.push(Op::ResizedRange { to: size }, &[scaled])?
    } else {
        let share = [1.0 / layers.len() as f32];
        let scale = graph.param(Param::new(format!("1/{}", layers.len()), vec![1], share[..].into()));
        fused = graph.push(Op::ScaleShift { scale, shift: None }, &[fused])?;
        graph.push(Op::MinMax, &[fused])?
    };
    let heatmap = graph.push(Op::Rescale { positive: false }, &[fused, span])?;
    let (raw, range) = single.unzip();
    Ok(Maps { raw, range: range.unwrap_or(span), heatmap })
}
