//! Scores of many images of which some part is seen, for methods without gradients.

use super::how::How;
use super::tap::{Begun, Tap};
use crate::cam::{self, Masked, Score};
use crate::error::{Error, Result};
use crate::graph::{
    Activation, Arithmetic, Contract, Digit, Form, Graph, NodeId, Omission, Op, Rearrange, Scaling, Side, Term, replay,
};

/// How many images pass the network at once.
const BATCH: usize = 32;

/// Appends the passes for a layer, one batch after another, so that they use the same memory. Returns a number for each channel or
/// pixel, `[maps,count,1,1]`: its weight, or of [`Masked::OnePixel`] its score.
pub fn weights(graph: &mut Graph, how: &How, network: &Begun, tap: &Tap, masked: Masked) -> Result<NodeId> {
    if how.target.score == Score::LogProbability {
        return Err(Error::Request("methods that compare scores explain logits or probabilities".into()));
    }
    let [n, c, h, w] = graph.shape(tap.node);
    if masked == Masked::OnePixel && tap.grid.is_some() {
        return Err(Error::Request("recipro-cam needs a feature map, and this layer holds tokens".into()));
    }
    let total = if masked == Masked::OnePixel { h * w } else { c };
    // Whole blocks of channels.
    let each = (BATCH / n / 4 * 4).max(4);
    let mut all: Option<NodeId> = None;
    for first in (0..total).step_by(each) {
        let count = each.min(total - first);
        let (from, value) = match masked {
            Masked::ThroughChannel => {
                (network.images, through_channels(graph, network.images, tap.placed, first, count)?)
            }
            Masked::WithoutChannel => {
                let op = Op::Vary { omission: Omission::Channel, first, count };
                (tap.node, graph.push(op, &[tap.node])?)
            }
            Masked::OnePixel => {
                let op = Op::Vary { omission: Omission::OtherPixels, first, count };
                (tap.node, graph.push(op, &[tap.node])?)
            }
        };
        let logits = replay(graph, from, network.logits, value).map_err(|_| {
            let reason =
                "something goes around this layer, so its values alone do not make the score; choose another layer";
            Error::Request(reason.into())
        })?;
        let numbers = cam::number(graph, how.target.score, logits, network.is_sigmoid)?;
        let columns = graph.push(Op::Columns { count }, &[numbers])?;
        let scores = Op::Contract(Contract { form: Form::Channels, groups: 1 });
        let scores = graph.push(scores, &[columns, network.begin.seed])?;
        let digits = vec![Digit { extent: count, from: Some((2, 1)), to: Some((0, 1)) }];
        let digits = if count > 1 { digits } else { vec![] };
        let moves = Rearrange { from: Side::whole([1, 1, count]), to: Side::whole([count, 1, 1]), digits };
        let scores = graph.rearrange(&moves, scores)?;
        all = Some(all.map_or(Ok(scores), |all| graph.push(Op::Concat, &[all, scores]))?);
    }
    let all = all.ok_or_else(|| Error::Request("the layer is empty".into()))?;
    Ok(match masked {
        Masked::ThroughChannel => cam::softmax(graph, all)?,
        Masked::OnePixel => all,
        Masked::WithoutChannel => {
            // 1 − score without / score
            let whole = graph.push(Op::WeightedSum(Term::Product), &[network.begin.node, network.begin.seed])?;
            let inverse = graph.push(Op::Activate(Activation::Reciprocal), &[whole])?;
            let part = graph.push(Op::Broadcast(Arithmetic::Multiply), &[all, inverse])?;
            graph.scaled(part, -1.0, 1.0)?
        }
    })
}

/// The images through each of some channels, which are enlarged and scaled to 0..1 as in pytorch-grad-cam.
fn through_channels(graph: &mut Graph, images: NodeId, layer: NodeId, start: usize, channels: usize) -> Result<NodeId> {
    let [_, c, h, w] = graph.shape(images);
    let some = graph.push(Op::Slice { start, channels }, &[layer])?;
    let maps = graph.push(Op::Unfold, &[some])?;
    let large = graph.push(Op::Resize { to: [h, w], corners: true }, &[maps])?;
    let range = graph.push(Op::MinMax, &[large])?;
    let mask = graph.push(Op::Rescale(Scaling::Whole), &[large, range])?;
    // For each colour.
    let digit = |extent, axis| Digit { extent, from: Some((axis, 1)), to: Some((axis, 1)) };
    let colours = Digit { extent: c, from: None, to: Some((0, 1)) };
    let digits = [colours, digit(h, 1), digit(w, 2)].into_iter().filter(|digit| digit.extent > 1).collect();
    let moves = Rearrange { from: Side::whole([1, h, w]), to: Side::whole([c, h, w]), digits };
    let masks = graph.rearrange(&moves, mask)?;
    Ok(graph.push(Op::Broadcast(Arithmetic::Multiply), &[masks, images])?)
}
