//! Gradients that are averaged over several images: on the way from a baseline to the image, or of the image with noise.

use super::how::How;
use crate::cam::{self, Begin, Moment, Passes};
use crate::error::Result;
use crate::graph::{Arithmetic, Digit, Graph, NodeId, Op, Param, Rearrange, Rule, Side, fold, gradients, key};
use crate::model::{Model, Scores};

/// What the passes start from.
#[derive(Clone, Copy)]
pub struct Start {
    /// The normalised images.
    pub images: NodeId,
    /// 1 at the class of each map.
    pub seed: NodeId,
}

/// Appends a forward and a backward pass for each sample, one after another, so that they use the same memory. Returns the
/// averaged gradient of the images.
pub fn averaged(graph: &mut Graph, model: &Model, how: &How, passes: Passes, start: Start) -> Result<NodeId> {
    let count = how.sampling.count(passes);
    let range = if let Passes::Noise(_) = passes { Some(range(graph, start.images)?) } else { None };
    let mut sum: Option<[Option<NodeId>; 2]> = None;
    for i in 0..count {
        let x = match range {
            // The middles of equal steps from the baseline, the mean colour, which is 0.
            None => scaled(graph, start.images, (i as f32 + 0.5) / count as f32)?,
            Some(range) => {
                let key = key(how.sampling.seed, i as u32);
                graph.push(Op::Noise { key, deviation: how.sampling.noise }, &[start.images, range])?
            }
        };
        let gradient = gradient(graph, model, how, x, start.seed)?;
        let square = |graph: &mut Graph| graph.push(Op::Broadcast(Arithmetic::Multiply), &[gradient, gradient]);
        let own = match passes {
            Passes::Noise(Moment::Square) => [None, Some(square(graph)?)],
            Passes::Noise(Moment::Variance) => [Some(gradient), Some(square(graph)?)],
            _ => [Some(gradient), None],
        };
        sum = Some(match sum {
            None => own,
            Some(before) => {
                let mut add = |a: Option<NodeId>, b: Option<NodeId>| {
                    a.zip(b).map(|(a, b)| graph.push(Op::Add, &[a, b])).transpose()
                };
                [add(before[0], own[0])?, add(before[1], own[1])?]
            }
        });
    }
    let [first, second] = sum.unwrap_or_default();
    let share = 1.0 / count as f32;
    let mut mean = |sum: Option<NodeId>| sum.map(|sum| scaled(graph, sum, share)).transpose();
    match (mean(first)?, mean(second)?) {
        // E[G²] - E[G]²
        (Some(mean), Some(of_squares)) => {
            let square = graph.push(Op::Broadcast(Arithmetic::Multiply), &[mean, mean])?;
            let less = scaled(graph, square, -1.0)?;
            Ok(graph.push(Op::Add, &[of_squares, less])?)
        }
        (Some(one), None) | (None, Some(one)) => Ok(one),
        (None, None) => unreachable!("there is at least one sample"),
    }
}

/// The gradient of other images, for the classes chosen for the first ones.
fn gradient(graph: &mut Graph, model: &Model, how: &How, x: NodeId, seed: NodeId) -> Result<NodeId> {
    let logits = model.append(graph, x)?;
    fold(graph, &[x]);
    let Begin { node, seed } = cam::begin(graph, &how.target, logits, seed, model.scores() == Scores::Sigmoid)?;
    Ok(gradients(graph, node, seed, &[x], Rule::Standard)?.remove(0))
}

fn scaled(graph: &mut Graph, x: NodeId, factor: f32) -> Result<NodeId> {
    let c = graph.shape(x)[1];
    let scale = graph.param(Param::new(format!("{factor} of {c}"), vec![c], vec![factor; c].into()));
    Ok(graph.push(Op::ScaleShift { scale, shift: None }, &[x])?)
}

/// The least and the greatest number of each image, over all channels.
fn range(graph: &mut Graph, x: NodeId) -> Result<NodeId> {
    let [_, c, h, w] = graph.shape(x);
    let digit = |extent, from, to| Digit { extent, from: Some(from), to: Some(to) };
    let digits = [digit(c, (0, 1), (1, h)), digit(h, (1, 1), (1, 1)), digit(w, (2, 1), (2, 1))];
    let digits = digits.into_iter().filter(|digit| digit.extent > 1).collect();
    let moves = Rearrange { from: Side::whole([c, h, w]), to: Side::whole([1, c * h, w]), digits };
    let one = graph.rearrange(&moves, x)?;
    Ok(graph.push(Op::MinMax, &[one])?)
}
