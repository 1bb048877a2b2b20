//! What methods take: activations, gradients, and scores of other images.

use super::how::How;
use super::masked;
use super::sampled::{averaged, path_sums};
use super::tap::{Begun, Tap};
use crate::cam::{self, Asked, At, Finish, Layer, Normalise, Passes, Row};
use crate::error::{Error, Result};
use crate::graph::{Graph, NodeId, Op, Param, Rule, gradients};

/// The operands of all methods.
pub struct Operands {
    pub asked: Vec<Asked>,
    /// Of a path, see [`path_sums`].
    pub sums: Option<NodeId>,
}

/// A backward pass that methods share.
struct Backward {
    rule: Rule,
    /// Whether it begins at what tells the class from the closest ones.
    is_of_closest: bool,
    /// Gradients at the taps that its methods look at.
    at_taps: Vec<Option<NodeId>>,
    /// Gradients where biases are added, with the biases.
    at_biases: Vec<Layer>,
}

impl Backward {
    fn serves(&self, row: &Row) -> bool {
        row.rule == Some(self.rule) && (row.passes == Passes::Closest) == self.is_of_closest
    }
}

/// Appends the backward passes that methods need, and brings what they take into the image's rows and columns.
pub fn operands(graph: &mut Graph, how: &How, network: &Begun, taps: &mut [Tap]) -> Result<Operands> {
    let parts: Vec<&Row> = how.methods.iter().flat_map(|method| method.parts()).collect();
    let mut passes: Vec<Backward> = vec![];
    for row in parts.iter().filter(|row| row.passes.is_one()) {
        if row.rule.is_some() && passes.iter().all(|pass| !pass.serves(row)) {
            passes.push(backward(graph, network, taps, row, &parts)?);
        }
    }
    for (i, tap) in taps.iter_mut().enumerate() {
        tap.placed = tap.node;
        let Some(moves) = &tap.grid else { continue };
        let gradients = passes.iter_mut().filter_map(|pass| pass.at_taps[i].as_mut());
        for node in gradients.chain([&mut tap.placed]) {
            *node = graph.push(Op::Rearrange(moves.clone()), &[*node])?;
        }
    }
    let (mut several, mut sums): (Vec<(Passes, usize, Layer)>, _) = (vec![], None);
    for row in parts.iter().filter(|row| !row.passes.is_one()) {
        for (i, tap) in taps.iter().enumerate().filter(|(_, tap)| tap.at == row.at) {
            if several.iter().all(|(known, at, _)| (*known, *at) != (row.passes, i)) {
                let layer = match row.passes {
                    Passes::Masked(kind) => masked::layer(graph, how, network, tap, kind)?,
                    passes => {
                        let gradients = Some(averaged(graph, how, network, tap, passes)?);
                        Layer { activations: tap.placed, gradients }
                    }
                };
                // A logarithm is no sum of the scores from which its backward pass begins, nor is a cosine of embeddings.
                let is_sum = !how.target.score.is_logarithm() && how.similar_to.is_none();
                if row.passes == Passes::Path && is_sum {
                    sums = layer.gradients.map(|node| path_sums(graph, how, network, node)).transpose()?;
                }
                several.push((row.passes, i, layer));
            }
        }
    }
    let plain = |row: &'static Row| {
        let pass = passes.iter().find(|pass| pass.serves(row));
        let layer = |(i, tap): (usize, &Tap)| {
            let known = several.iter().find(|(passes, at, _)| (*passes, *at) == (row.passes, i));
            let gradients = pass.and_then(|pass| pass.at_taps[i]);
            known.map_or(Layer { activations: tap.placed, gradients }, |(.., layer)| *layer)
        };
        let mut layers: Vec<Layer> = taps.iter().enumerate().filter(|(_, tap)| tap.at == row.at).map(layer).collect();
        if row.passes == Passes::Biases {
            layers.extend(pass.iter().flat_map(|pass| &pass.at_biases));
        }
        Asked { method: row, layers }
    };
    let mut asked = vec![];
    for method in &how.methods {
        asked.push(match method.parts()[..] {
            [first, second] => {
                let [_, _, h, w] = graph.shape(network.images);
                let finish = Finish { normalise: Normalise::MinMax, ..how.finish() };
                let heat = cam::heatmap(graph, &[plain(first)], [h, w], finish)?.heatmap;
                let under = |layer: Layer| Layer { activations: heat, gradients: layer.gradients };
                Asked { method: method.row(), layers: plain(second).layers.into_iter().map(under).collect() }
            }
            _ => plain(method.row_as(how.compat)),
        });
    }
    Ok(Operands { asked, sums })
}

/// Appends the backward pass of this method and of all that share it.
fn backward(graph: &mut Graph, network: &Begun, taps: &[Tap], row: &Row, parts: &[&Row]) -> Result<Backward> {
    let is_of_closest = row.passes == Passes::Closest;
    let (at_taps, at_biases) = (vec![None; taps.len()], vec![]);
    let mut pass = Backward { rule: row.rule.unwrap_or_default(), is_of_closest, at_taps, at_biases };
    let own: Vec<&&Row> = parts.iter().filter(|row| row.passes.is_one() && pass.serves(row)).collect();
    let begin = match is_of_closest {
        true => cam::closest(graph, network.logits, network.one_hot)?,
        false => network.begin,
    };
    let at: Vec<usize> = (0..taps.len()).filter(|i| own.iter().any(|row| row.at == taps[*i].at)).collect();
    let wants_biases = own.iter().any(|row| row.passes == Passes::Biases);
    let biases = if wants_biases { biases(graph, network.logits) } else { vec![] };
    let wanted = at.iter().map(|i| taps[*i].node).chain(biases.iter().map(|(node, _)| *node));
    let mut found = gradients(graph, begin.node, begin.seed, &wanted.collect::<Vec<_>>(), pass.rule)?.into_iter();
    at.iter().for_each(|i| pass.at_taps[*i] = found.next());
    for ((_, bias), gradients) in biases.into_iter().zip(found) {
        let shape = [bias.shape.iter().product(), 1, 1];
        let values = graph.param(bias);
        let activations = graph.push(Op::Constant { values, shape }, &[])?;
        pass.at_biases.push(Layer { activations, gradients: Some(gradients) });
    }
    if own.iter().any(|row| row.passes == Passes::Classifier) {
        // A mean's gradient that is a linear layer's.
        let is_linear = |node: NodeId| matches!(graph.nodes[node].op, Op::ClassWeights(_) | Op::LinearGrad { .. });
        let is_mean = |node: &NodeId| {
            matches!(graph.nodes[*node].op, Op::MeanGrad { .. }) && is_linear(graph.nodes[*node].inputs[0])
        };
        let at_layers = at.iter().filter(|i| taps[**i].at == At::Layers);
        if !at_layers.filter_map(|i| pass.at_taps[*i].as_ref()).all(is_mean) {
            let reason =
                "cam needs a layer that only a global mean and a linear layer follow; gradcam needs nothing such";
            return Err(Error::Request(reason.into()));
        }
    }
    Ok(pass)
}

/// The nodes that add a bias to a feature map, and the biases.
fn biases(graph: &Graph, logits: NodeId) -> Vec<(NodeId, Param)> {
    let needed = graph.needed(&[logits]);
    let bias = |id: NodeId| match (&graph.nodes[id].op, graph.shape(id)) {
        (_, [_, _, 1, 1]) => None,
        (Op::Conv2d(conv), _) => conv.bias,
        (Op::ScaleShift { shift, .. }, _) => *shift,
        _ => None,
    };
    let all = (0..=logits).filter(|id| needed[*id]);
    all.filter_map(|id| bias(id).map(|bias| (id, graph.params[bias].clone()))).collect()
}
