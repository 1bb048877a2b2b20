//! How other libraries go from raw maps to heat maps, where they differ.

use super::maps::Maps;
use crate::graph::{Activation, Graph, GraphError, Interpolation, NodeId, Op, Scaling};

/// The library whose steps are followed. What each does is told in `docs/methods.md`, and how closely it is met in
/// `docs/numerics.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Compat {
    /// pytorch-grad-cam's heat maps, and overlays of this crate's own.
    #[default]
    None,
    /// pytorch-grad-cam 1.5: maps are scaled, enlarged, averaged over layers and scaled again. Overlays are brightened until
    /// their greatest number is 1.
    PytorchGradCam,
    /// TorchCAM 0.5: maps are scaled, the greatest over layers is taken, and enlarged by a cubic. Overlays show its square.
    #[serde(rename = "torchcam")]
    TorchCam,
    /// Captum 0.9: maps are not scaled, nor is a ReLU taken. They are enlarged without interpolation.
    Captum,
    /// tf-keras-vis 0.8: maps are enlarged so that the corners' centres meet, then scaled.
    TfKerasVis,
}

/// Captum's steps, which only enlarge a raw map, or tf-keras-vis's, which drop what speaks against the class, enlarge, and scale.
///
/// # Errors
/// [`GraphError::Shape`] if there is not one layer.
pub fn enlarged(graph: &mut Graph, raws: &[NodeId], size: [usize; 2], compat: Compat) -> Result<Maps, GraphError> {
    let [raw] = *raws else { return Err(GraphError::no_operands("a library with one layer")) };
    let range = graph.push(Op::MinMax, &[raw])?;
    let heatmap = if compat == Compat::Captum {
        graph.push(Op::Resize { to: size, by: Interpolation::Nearest }, &[raw])?
    } else {
        let positive = graph.push(Op::Activate(Activation::Relu), &[raw])?;
        let large = graph.push(Op::Resize { to: size, by: Interpolation::Corners }, &[positive])?;
        let span = graph.push(Op::MinMax, &[large])?;
        graph.push(Op::Rescale(Scaling::Whole), &[large, span])?
    };
    Ok(Maps { raw: Some(raw), range, heatmap, firsts: vec![] })
}

/// TorchCAM's steps: maps are scaled, brought to the size of the largest one, and their greatest is taken.
///
/// # Errors
/// [`GraphError::Shape`] if there are no layers.
pub fn greatest(graph: &mut Graph, raws: &[NodeId], size: [usize; 2], is_layercam: bool) -> Result<Maps, GraphError> {
    let extent = |axis: usize| raws.iter().map(|raw| graph.shape(*raw)[axis]).max().unwrap_or(1);
    let (largest, mut ranges, mut fused) = ([extent(2), extent(3)], vec![], None);
    for &raw in raws {
        // The library's eps is a tenth of that of the scaling.
        let tenfold = graph.scaled(raw, 10.0, 0.0)?;
        let range = graph.push(Op::MinMax, &[tenfold])?;
        let mut map = graph.push(Op::Rescale(Scaling::Positive), &[tenfold, range])?;
        if raws.len() > 1 {
            if is_layercam {
                let twice = graph.scaled(map, 2.0, 0.0)?;
                map = graph.push(Op::Activate(Activation::Tanh), &[twice])?;
            }
            map = graph.push(Op::Resize { to: largest, by: Interpolation::Linear }, &[map])?;
        }
        fused = Some(match fused {
            None => map,
            // max(a, b) = a + max(b − a, 0)
            Some(first) => {
                let less = graph.scaled(first, -1.0, 0.0)?;
                let more = graph.push(Op::Add, &[map, less])?;
                let more = graph.push(Op::Activate(Activation::Relu), &[more])?;
                graph.push(Op::Add, &[first, more])?
            }
        });
        ranges.push(range);
    }
    let fused = fused.ok_or_else(|| GraphError::no_operands("fusion of layers"))?;
    let raw = if let [raw] = raws { Some(*raw) } else { None };
    let range = if raw.is_some() { ranges[0] } else { graph.push(Op::MinMax, &[fused])? };
    let heatmap = graph.push(Op::Resize { to: size, by: Interpolation::Cubic }, &[fused])?;
    Ok(Maps { raw, range, heatmap, firsts: vec![] })
}
