//! From raw maps to heat maps. These steps are the same for all methods.

use super::method::{Layer, Row};
use crate::graph::{Graph, GraphError, NodeId, Op, Param};

/// The output nodes of a recipe.
pub struct Maps {
    /// The raw map: signed, not rescaled, at the layer's size. None if several layers are fused.
    pub raw: Option<NodeId>,
    /// Range of the raw or fused map, from which the status is computed.
    pub range: NodeId,
    /// The heat map at the input's size, in 0..1.
    pub heatmap: NodeId,
}

/// Appends the raw map of each layer, and the steps from there to one heat map of `size`. The heat maps of several
/// layers are averaged, as in pytorch-grad-cam.
///
/// # Errors
/// [`GraphError::Shape`] if the operands do not fit, or there is no layer.
pub fn heatmap(graph: &mut Graph, method: &Row, layers: &[Layer], size: [usize; 2]) -> Result<Maps, GraphError> {
    let (mut raws, mut resized) = (vec![], vec![]);
    for layer in layers {
        let raw = (method.raw)(graph, layer)?;
        // The order is pytorch-grad-cam's: ReLU, rescale, resize, fuse, rescale again.
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
        // The resized map's range is computed without storing that map; its readers compute the second rescaling.
        let scaled = graph.push(Op::Rescale { positive: true }, &[raw, range])?;
        graph.push(Op::ResizedRange { to: size }, &[scaled])?
    } else {
        let share = [1.0 / raws.len() as f32];
        let scale = graph.param(Param::new(format!("1/{}", raws.len()), vec![1], share[..].into()));
        fused = graph.push(Op::ScaleShift { scale, shift: None }, &[fused])?;
        graph.push(Op::MinMax, &[fused])?
    };
    let heatmap = graph.push(Op::Rescale { positive: false }, &[fused, span])?;
    let (raw, range) = single.unzip();
    Ok(Maps { raw, range: range.unwrap_or(span), heatmap })
}
