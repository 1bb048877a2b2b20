//! From raw maps to heat maps. These steps are the same for all methods.

use super::compat::{Compat, enlarged, greatest};
use super::fusion::Fusion;
use super::layercam;
use super::maps::Maps;
use super::method::{At, Layer, Row};
use super::normalise::Normalise;
use super::smoothing;
use crate::graph::{Arithmetic, Graph, GraphError, Interpolation, NodeId, Op, Scaling};

/// The part of the values that [`Normalise::Percentile`] keeps apart.
const PERCENTILE: f32 = 0.99;

/// A method with its operands at each layer.
pub struct Asked {
    /// The method.
    pub method: &'static Row,
    /// Its operands at each layer, or at the pixels.
    pub layers: Vec<Layer>,
}

/// What becomes of raw maps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finish {
    /// How they are scaled, unless a library is followed that does otherwise.
    pub normalise: Normalise,
    /// Whether they are smoothed by a principal component.
    pub eigen: bool,
    /// The library whose steps are followed.
    pub compat: Compat,
}

impl From<Normalise> for Finish {
    fn from(normalise: Normalise) -> Self {
        Self { normalise, ..Self::default() }
    }
}

/// Appends the raw maps of each method, and the steps from there to heat maps of `size`.
///
/// # Errors
/// [`GraphError::Shape`] if the operands do not fit, or there is no method or no layer.
pub fn heatmap(graph: &mut Graph, asked: &[Asked], size: [usize; 2], finish: Finish) -> Result<Maps, GraphError> {
    let Finish { normalise, eigen, compat } = finish;
    let mut firsts = vec![0; asked.len()];
    let (mut joint, mut count): (Option<Maps>, usize) = (None, 0);
    // Methods of one kind have maps of one size. They share each step.
    let is_first = |i: &usize| asked[..*i].iter().all(|other| other.method.kind() != asked[*i].method.kind());
    for kind in (0..asked.len()).filter(is_first).map(|i| asked[i].method.kind()) {
        let group: Vec<usize> = (0..asked.len()).filter(|i| asked[*i].method.kind() == kind).collect();
        let mut raws: Vec<NodeId> = vec![];
        for (place, &i) in group.iter().enumerate() {
            firsts[i] = count;
            for (l, layer) in asked[i].layers.iter().enumerate() {
                let raw = smoothing::raw(graph, asked[i].method, layer, eigen && kind.0 == At::Layers)?;
                count += if l == 0 { graph.shape(raw)[0] } else { 0 };
                if place == 0 {
                    raws.push(raw);
                } else {
                    raws[l] = graph.push(Op::Stack, &[raws[l], raw])?;
                }
            }
        }
        let maps = match kind.1 {
            Fusion::Mean => match compat {
                Compat::None | Compat::PytorchGradCam => finished(graph, &raws, size, normalise)?,
                Compat::TorchCam => {
                    let is_layercam = |i: &usize| asked[*i].method.name == layercam::ROW.name;
                    greatest(graph, &raws, size, group.iter().all(is_layercam))?
                }
                Compat::Captum | Compat::TfKerasVis => enlarged(graph, &raws, size, compat)?,
            },
            Fusion::Product => multiplied(graph, &raws, size, normalise)?,
            Fusion::Sum => added(graph, &raws, size, normalise)?,
        };
        joint = Some(match joint {
            None => maps,
            Some(before) => Maps {
                raw: None,
                range: graph.push(Op::Stack, &[before.range, maps.range])?,
                heatmap: graph.push(Op::Stack, &[before.heatmap, maps.heatmap])?,
                ..maps
            },
        });
    }
    let maps = joint.ok_or_else(|| GraphError::no_operands("a map"))?;
    Ok(Maps { firsts, ..maps })
}

/// The product of the heat maps of raw ones, which are given for each layer, scaled once more.
fn multiplied(graph: &mut Graph, raws: &[NodeId], size: [usize; 2], normalise: Normalise) -> Result<Maps, GraphError> {
    let (first, others) = raws.split_first().ok_or_else(|| GraphError::no_operands("fusion of layers"))?;
    let mut product = finished(graph, &[*first], size, normalise)?.heatmap;
    for &raw in others {
        let other = finished(graph, &[raw], size, normalise)?.heatmap;
        product = graph.push(Op::Broadcast(Arithmetic::Multiply), &[product, other])?;
    }
    let range = graph.push(Op::MinMax, &[product])?;
    let heatmap = scaled(graph, product, range, normalise)?;
    Ok(Maps { raw: None, range, heatmap, firsts: vec![] })
}

/// The sum of raw maps, which are given for each layer, scaled as one map.
fn added(graph: &mut Graph, raws: &[NodeId], size: [usize; 2], normalise: Normalise) -> Result<Maps, GraphError> {
    let (first, others) = raws.split_first().ok_or_else(|| GraphError::no_operands("fusion of layers"))?;
    let large = |graph: &mut Graph, raw: NodeId| graph.push(Op::Resize { to: size, by: Interpolation::Linear }, &[raw]);
    let mut sum = large(graph, *first)?;
    for &raw in others {
        let other = large(graph, raw)?;
        sum = graph.push(Op::Add, &[sum, other])?;
    }
    let range = graph.push(Op::MinMax, &[sum])?;
    let heatmap = scaled(graph, sum, range, normalise)?;
    Ok(Maps { raw: Some(sum), range, heatmap, firsts: vec![] })
}

/// The mean of the heat maps of raw ones, which are given for each layer, scaled once more.
fn finished(graph: &mut Graph, raws: &[NodeId], size: [usize; 2], normalise: Normalise) -> Result<Maps, GraphError> {
    let (mut ranges, mut resized) = (vec![], vec![]);
    for &raw in raws {
        // The order is pytorch-grad-cam's: ReLU, rescale, resize, fuse, rescale again.
        let range = graph.push(Op::MinMax, &[raw])?;
        let scaled = scaled(graph, raw, range, normalise)?;
        resized.push(graph.push(Op::Resize { to: size, by: Interpolation::Linear }, &[scaled])?);
        ranges.push(range);
    }
    let (first, others) = resized.split_first().ok_or_else(|| GraphError::no_operands("fusion of layers"))?;
    let mut fused = *first;
    if !others.is_empty() {
        for &other in others {
            fused = graph.push(Op::Add, &[fused, other])?;
        }
        fused = graph.scaled(fused, 1.0 / raws.len() as f32, 0.0)?;
    }
    let raw = others.is_empty().then_some(raws[0]);
    let range = if raw.is_some() { ranges[0] } else { graph.push(Op::MinMax, &[fused])? };
    let heatmap = match (normalise, raw) {
        (Normalise::MinMax, Some(raw)) => {
            // The resized map's range is computed without storing that map; its readers compute the second rescaling.
            let scaled = scaled(graph, raw, range, normalise)?;
            let span = graph.push(Op::ResizedRange { to: size }, &[scaled])?;
            graph.push(Op::Rescale(Scaling::Whole), &[fused, span])?
        }
        (Normalise::MinMax, None) => graph.push(Op::Rescale(Scaling::Whole), &[fused, range])?,
        _ => fused,
    };
    Ok(Maps { raw, range, heatmap, firsts: vec![] })
}

/// A raw map, scaled for the first time.
fn scaled(graph: &mut Graph, raw: NodeId, range: NodeId, normalise: Normalise) -> Result<NodeId, GraphError> {
    match normalise {
        Normalise::MinMax => graph.push(Op::Rescale(Scaling::Positive), &[raw, range]),
        Normalise::Max => graph.push(Op::Rescale(Scaling::ToGreatest), &[raw, range]),
        Normalise::Percentile => {
            let most = graph.push(Op::Percentile { part: PERCENTILE }, &[raw])?;
            graph.push(Op::Rescale(Scaling::ToGreatest), &[raw, most])
        }
        Normalise::Signed => graph.push(Op::Rescale(Scaling::Signed), &[raw, range]),
        Normalise::None => Ok(raw),
    }
}
