//! What methods take: activations, gradients, and scores of other images.

use super::how::How;
use super::masked::weights;
use super::sampled::{averaged, path_sums};
use super::tap::{Begun, Tap};
use crate::cam::{self, Asked, Layer, Normalise, Passes, Row, Score};
use crate::error::Result;
use crate::graph::{Graph, NodeId, Op, Rule, gradients};

/// The operands of all methods.
pub struct Operands {
    pub asked: Vec<Asked>,
    /// Of a path, see [`path_sums`].
    pub sums: Option<NodeId>,
}

/// Appends the backward passes that methods need, and brings what they take into the image's rows and columns.
pub fn operands(graph: &mut Graph, how: &How, network: &Begun, taps: &mut [Tap]) -> Result<Operands> {
    let rows = || how.methods.iter().map(|method| method.row());
    let parts = || how.methods.iter().flat_map(|method| method.parts());
    // Methods share the backward pass of their rule. It goes to the taps that they look at.
    let mut passes: Vec<(Rule, Vec<Option<NodeId>>)> = vec![];
    for rule in parts().filter(|row| row.passes == Passes::One).filter_map(|row| row.rule) {
        if passes.iter().all(|(known, _)| *known != rule) {
            let own = parts().filter(|row| row.passes == Passes::One && row.rule == Some(rule));
            let own: Vec<_> = own.map(|row| row.at).collect();
            let wanted: Vec<NodeId> = taps.iter().filter(|tap| own.contains(&tap.at)).map(|tap| tap.node).collect();
            let mut found = gradients(graph, network.begin.node, network.begin.seed, &wanted, rule)?.into_iter();
            let gradients = taps.iter().map(|tap| if own.contains(&tap.at) { found.next() } else { None });
            passes.push((rule, gradients.collect()));
        }
    }
    for (i, tap) in taps.iter_mut().enumerate() {
        tap.placed = tap.node;
        let Some(moves) = &tap.grid else { continue };
        let gradients = passes.iter_mut().filter_map(|(_, gradients)| gradients[i].as_mut());
        for node in gradients.chain([&mut tap.placed]) {
            *node = graph.push(Op::Rearrange(moves.clone()), &[*node])?;
        }
    }
    let of_rule = |rule: Option<Rule>, i: usize| {
        passes.iter().find(|(known, _)| Some(*known) == rule).and_then(|(_, gradients)| gradients[i])
    };
    let (mut several, mut sums): (Vec<(Passes, usize, NodeId)>, _) = (vec![], None);
    for row in rows().filter(|row| !matches!(row.passes, Passes::One | Passes::UnderGradCam)) {
        for (i, tap) in taps.iter().enumerate().filter(|(_, tap)| tap.at == row.at) {
            if several.iter().all(|(known, at, _)| (*known, *at) != (row.passes, i)) {
                let node = match row.passes {
                    Passes::Masked(masked) => weights(graph, how, network, tap, masked)?,
                    passes => averaged(graph, how, network, passes)?,
                };
                // A logarithm is no sum of the scores from which its backward pass begins.
                if row.passes == Passes::Path && how.target.score != Score::LogProbability {
                    sums = Some(path_sums(graph, how, network, node)?);
                }
                several.push((row.passes, i, node));
            }
        }
    }
    let plain = |row: &'static Row| {
        let gradients = |i: usize| match row.passes {
            Passes::One => of_rule(row.rule, i),
            own => several.iter().find(|(passes, at, _)| (*passes, *at) == (own, i)).map(|(.., node)| *node),
        };
        let own = taps.iter().enumerate().filter(|(_, tap)| tap.at == row.at);
        let layer = |(i, tap): (usize, &Tap)| Layer { activations: tap.placed, gradients: gradients(i) };
        Asked { method: row, layers: own.map(layer).collect() }
    };
    let mut asked = vec![];
    for method in &how.methods {
        asked.push(match method.parts()[..] {
            [first, second] => {
                let [_, _, h, w] = graph.shape(network.images);
                let heat = cam::heatmap(graph, &[plain(first)], [h, w], Normalise::MinMax)?.heatmap;
                let under = |layer: Layer| Layer { activations: heat, gradients: layer.gradients };
                Asked { method: method.row(), layers: plain(second).layers.into_iter().map(under).collect() }
            }
            _ => plain(method.row()),
        });
    }
    Ok(Operands { asked, sums })
}
