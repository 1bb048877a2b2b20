//! From raw maps to heat maps. These steps are the same for all methods.

use super::method::{Layer, Row};
use super::normalise::Normalise;
use crate::graph::{Graph, GraphError, NodeId, Op, Scaling};

/// The part of the values that [`Normalise::Percentile`] keeps apart.
const PERCENTILE: f32 = 0.99;

/// A method with its operands at each layer.
pub struct Asked {
    /// The method.
    pub method: &'static Row,
    /// Its operands at each layer, or at the pixels.
    pub layers: Vec<Layer>,
}

/// The output nodes of a recipe. Each holds the maps of all methods: those of the first method for all images and classes, then
/// those of the next.
pub struct Maps {
    /// The raw maps: signed, not rescaled, at the layer's size. None if several layers are fused, or sizes differ.
    pub raw: Option<NodeId>,
    /// Range of the raw or fused maps, from which the status is computed.
    pub range: NodeId,
    /// The heat maps at the input's size.
    pub heatmap: NodeId,
    /// The place of each method's first map among all.
    pub firsts: Vec<usize>,
}

/// Appends the raw maps of each method, and the steps from there to heat maps of `size`. The heat maps of several layers are
/// averaged, as in pytorch-grad-cam.
///
/// # Errors
/// [`GraphError::Shape`] if the operands do not fit, or there is no method or no layer.
pub fn heatmap(graph: &mut Graph, asked: &[Asked], size: [usize; 2], normalise: Normalise) -> Result<Maps, GraphError> {
    let mut firsts = vec![0; asked.len()];
    let (mut joint, mut count): (Option<Maps>, usize) = (None, 0);
    // Methods that look at the same place have maps of one size. They share each step.
    let places = |i: &usize| asked[..*i].iter().all(|other| other.method.at != asked[*i].method.at);
    for at in (0..asked.len()).filter(places).map(|i| asked[i].method.at) {
        let group: Vec<usize> = (0..asked.len()).filter(|i| asked[*i].method.at == at).collect();
        let mut raws: Vec<NodeId> = vec![];
        for (place, &i) in group.iter().enumerate() {
            firsts[i] = count;
            for (l, layer) in asked[i].layers.iter().enumerate() {
                let raw = (asked[i].method.raw)(graph, layer)?;
                count += if l == 0 { graph.shape(raw)[0] } else { 0 };
                if place == 0 {
                    raws.push(raw);
                } else {
                    raws[l] = graph.push(Op::Stack, &[raws[l], raw])?;
                }
            }
        }
        let maps = finished(graph, &raws, size, normalise)?;
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

/// The heat maps of raw ones, which are given for each layer.
fn finished(graph: &mut Graph, raws: &[NodeId], size: [usize; 2], normalise: Normalise) -> Result<Maps, GraphError> {
    let (mut ranges, mut resized) = (vec![], vec![]);
    for &raw in raws {
        // The order is pytorch-grad-cam's: ReLU, rescale, resize, fuse, rescale again.
        let range = graph.push(Op::MinMax, &[raw])?;
        let scaled = scaled(graph, raw, range, normalise)?;
        resized.push(graph.push(Op::Resize { to: size, corners: false }, &[scaled])?);
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
