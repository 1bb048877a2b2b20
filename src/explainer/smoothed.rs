//! Heat maps averaged over further images, see [`Smoothing`].

use super::begin::begin;
use super::how::How;
use super::operands::operands;
use super::tap::{Begun, Tap};
use crate::cam::{self, Smoothing};
use crate::error::Result;
use crate::graph::{Graph, NodeId, Op, replay};

/// Appends all passes for the images brighter, darker and mirrored, and returns the mean of their heat maps and `first`, the
/// heat map of the images themselves.
pub fn augmented(graph: &mut Graph, how: &How, network: &Begun, taps: &[Tap], first: NodeId) -> Result<NodeId> {
    let [_, _, h, w] = graph.shape(network.images);
    let kinds = [false, true].into_iter().flat_map(|mirrored| Smoothing::FACTORS.map(|factor| (mirrored, factor)));
    let mut sum = first;
    for (mirrored, factor) in kinds.clone().skip(1) {
        let mut images = graph.scaled(network.images, factor, 0.0)?;
        if mirrored {
            images = graph.push(Op::Mirror, &[images])?;
        }
        let nodes: Vec<NodeId> = [network.output].into_iter().chain(taps.iter().map(|tap| tap.node)).collect();
        let new = replay(graph, network.images, &nodes, images)?;
        let begin = begin(graph, how, network, new[0])?;
        let logits = if network.output == network.logits { new[0] } else { network.logits };
        let begun = Begun { images, logits, output: new[0], begin, ..*network };
        let moved = |(tap, node): (&Tap, &NodeId)| Tap { node: *node, placed: *node, grid: tap.grid.clone(), ..*tap };
        let mut taps: Vec<Tap> = taps.iter().zip(&new[1..]).map(moved).collect();
        let asked = operands(graph, how, &begun, &mut taps)?.asked;
        let mut map = cam::heatmap(graph, &asked, [h, w], how.finish())?.heatmap;
        if mirrored {
            map = graph.push(Op::Mirror, &[map])?;
        }
        sum = graph.push(Op::Add, &[sum, map])?;
    }
    Ok(graph.scaled(sum, 1.0 / kinds.count() as f32, 0.0)?)
}
