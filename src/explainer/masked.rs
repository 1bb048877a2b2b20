//! Scores of many images of which some part is seen, for methods without gradients.

use super::how::How;
use super::tap::{Begun, Tap};
use crate::cam::{self, Layer, Masked, Passes};
use crate::error::{Error, Result};
use crate::graph::{
    Activation, Arithmetic, Contract, Digit, Form, Graph, Interpolation, Mask, NodeId, Omission, Op, Param, Rearrange,
    Scaling, Side, Term, key, replay,
};

/// How many images pass the network at once.
const BATCH: usize = 32;
/// The part of a random mask that is seen.
const SEEN: f32 = 0.5;

/// Appends the passes for a tap, one batch after another, so that they use the same memory. Its gradients are then a number for
/// each channel or pixel, `[maps,count,1,1]`: its weight, or of [`Masked::OnePixel`] its score; at the pixels they are the map.
pub fn layer(graph: &mut Graph, how: &How, network: &Begun, tap: &Tap, masked: Masked) -> Result<Layer> {
    let passes = Masking { how, network, tap };
    match masked {
        Masked::ThroughChannel => passes.through_channels(graph),
        Masked::WithoutChannel => passes.without_channels(graph),
        Masked::OnePixel => passes.of_pixels(graph),
        Masked::Square => passes.without_squares(graph),
        Masked::Random => passes.through_grids(graph),
    }
}

/// What the passes need.
struct Masking<'a> {
    how: &'a How,
    network: &'a Begun,
    tap: &'a Tap,
}

impl Masking<'_> {
    /// Softmax of the scores of the images through each channel, enlarged and scaled to 0..1 as in pytorch-grad-cam.
    fn through_channels(&self, graph: &mut Graph) -> Result<Layer> {
        let images = self.network.images;
        let strongest = self.strongest(graph)?;
        let layer = picked(graph, self.tap.placed, strongest)?;
        let [_, _, h, w] = graph.shape(images);
        let channels = graph.shape(layer)[1];
        let scores = self.all(graph, images, channels, |graph, start, channels| {
            let some = graph.push(Op::Slice { start, channels }, &[layer])?;
            let maps = graph.push(Op::Unfold, &[some])?;
            let large = graph.push(Op::Resize { to: [h, w], by: Interpolation::Corners }, &[maps])?;
            let range = graph.push(Op::MinMax, &[large])?;
            let masks = graph.push(Op::Rescale(Scaling::Whole), &[large, range])?;
            seen(graph, images, masks)
        })?;
        Ok(Layer { activations: layer, gradients: Some(cam::softmax(graph, scores)?) })
    }

    /// The part of the score that is lost without each channel.
    fn without_channels(&self, graph: &mut Graph) -> Result<Layer> {
        let layer = self.tap.node;
        let [_, c, h, w] = graph.shape(layer);
        let strongest = self.strongest(graph)?;
        let count = strongest.map_or(c, |rows| graph.shape(rows)[3]);
        let scores = self.all(graph, layer, count, |graph, first, count| match strongest {
            None => Ok(graph.push(Op::Vary { omission: Omission::Channel, first, count }, &[layer])?),
            Some(rows) => {
                let rows = images_of(graph, rows, first, count)?;
                let others = graph.scaled(rows, -1.0, 1.0)?;
                let others = graph.repeated(others, [c, h, w])?;
                Ok(graph.push(Op::Broadcast(Arithmetic::Multiply), &[others, layer])?)
            }
        })?;
        // 1 − score without / score
        let whole = self.whole(graph)?;
        let inverse = graph.push(Op::Activate(Activation::Reciprocal), &[whole])?;
        let inverse = graph.scaled(inverse, -1.0, 0.0)?;
        let part = graph.push(Op::Broadcast(Arithmetic::Multiply), &[scores, inverse])?;
        let weights = graph.scaled(part, 1.0, 1.0)?;
        Ok(Layer { activations: picked(graph, self.tap.placed, strongest)?, gradients: Some(weights) })
    }

    /// The scores of each pixel alone.
    fn of_pixels(&self, graph: &mut Graph) -> Result<Layer> {
        if self.tap.grid.is_some() {
            return Err(Error::Request("recipro-cam needs a feature map, and this layer holds tokens".into()));
        }
        let layer = self.tap.node;
        let [_, _, h, w] = graph.shape(layer);
        let scores = self.all(graph, layer, h * w, |graph, first, count| {
            Ok(graph.push(Op::Vary { omission: Omission::OtherPixels, first, count }, &[layer])?)
        })?;
        Ok(Layer { activations: layer, gradients: Some(scores) })
    }

    /// At each pixel the mean of what the score loses without the squares that cover it.
    fn without_squares(&self, graph: &mut Graph) -> Result<Layer> {
        let [_, _, h, w] = graph.shape(self.network.images);
        let side = self.how.sampling.patch.unwrap_or(h.max(w).div_ceil(8)).clamp(1, h.max(w));
        let step = side.div_ceil(2);
        let [down, across] = [h, w].map(|extent| extent.saturating_sub(side).div_ceil(step) + 1);
        let whole = self.whole(graph)?;
        let loss = |graph: &mut Graph, scores: NodeId| {
            let less = graph.scaled(scores, -1.0, 0.0)?;
            Ok(graph.push(Op::Broadcast(Arithmetic::Add), &[less, whole])?)
        };
        let sum = self.weighed(graph, Mask::Square { side, step, across }, down * across, loss)?;
        // How many squares cover each pixel is the product of how many cover its row and its column.
        let covering = |extent: usize, squares: usize| {
            let covers = move |at: usize| (0..squares).filter(|i| (i * step..i * step + side).contains(&at)).count();
            (0..extent).map(covers).collect::<Vec<_>>()
        };
        let (rows, columns) = (covering(h, down), covering(w, across));
        let share = rows.iter().flat_map(|row| columns.iter().map(move |column| 1.0 / (row * column) as f32));
        let values = graph.param(Param::new(
            format!("squares of {side} at {h} × {w}"),
            vec![1, h, w],
            share.collect::<Vec<_>>().into(),
        ));
        let share = graph.push(Op::Constant { values, shape: [1, h, w] }, &[])?;
        let mean = graph.push(Op::Broadcast(Arithmetic::Multiply), &[sum, share])?;
        Ok(Layer { activations: self.tap.placed, gradients: Some(mean) })
    }

    /// The mean of random masks, weighed by the scores of the images through them.
    fn through_grids(&self, graph: &mut Graph) -> Result<Layer> {
        let count = self.how.sampling.count(Passes::Masked(Masked::Random));
        let mask = Mask::Grid { key: key(self.how.sampling.seed, 0) };
        let sum = self.weighed(graph, mask, count, |_, scores| Ok(scores))?;
        let mean = graph.scaled(sum, 1.0 / (count as f32 * SEEN), 0.0)?;
        Ok(Layer { activations: self.tap.placed, gradients: Some(mean) })
    }

    /// The sum of `total` masks, each times a number made of the score of the images through it, or without it if it is a
    /// square.
    fn weighed(
        &self,
        graph: &mut Graph,
        mask: Mask,
        total: usize,
        number: impl Fn(&mut Graph, NodeId) -> Result<NodeId>,
    ) -> Result<NodeId> {
        let images = self.network.images;
        let [n, _, h, w] = graph.shape(images);
        let mut sum: Option<NodeId> = None;
        for (first, count) in batches(n, total) {
            let masks = graph.push(Op::Masks { mask, images: n, first, count, size: [h, w] }, &[])?;
            let mut shown = graph.push(Op::Unfold, &[masks])?;
            if matches!(mask, Mask::Square { .. }) {
                shown = graph.scaled(shown, -1.0, 1.0)?;
            }
            let value = seen(graph, images, shown)?;
            let scores = self.scores(graph, images, value, count)?;
            let numbers = number(graph, scores)?;
            let part = graph.push(Op::WeightedSum(Term::Product), &[masks, numbers])?;
            sum = Some(sum.map_or(Ok(part), |sum| graph.push(Op::Add, &[sum, part]))?);
        }
        sum.ok_or_else(|| Error::Request("there are no masks".into()))
    }

    /// The scores of all variations of a node's value, `[maps,total,1,1]`. `vary` makes those from the first on.
    fn all(
        &self,
        graph: &mut Graph,
        from: NodeId,
        total: usize,
        vary: impl Fn(&mut Graph, usize, usize) -> Result<NodeId>,
    ) -> Result<NodeId> {
        let mut all: Option<NodeId> = None;
        for (first, count) in batches(graph.shape(from)[0], total) {
            let value = vary(graph, first, count)?;
            let scores = self.scores(graph, from, value, count)?;
            all = Some(all.map_or(Ok(scores), |all| graph.push(Op::Concat, &[all, scores]))?);
        }
        all.ok_or_else(|| Error::Request("the layer is empty".into()))
    }

    /// The scores with `value` in place of `from`, `count` for each image: `[maps,count,1,1]`.
    fn scores(&self, graph: &mut Graph, from: NodeId, value: NodeId, count: usize) -> Result<NodeId> {
        let logits = replay(graph, from, &[self.network.logits], value).map_err(|_| {
            let reason =
                "something goes around this layer, so its values alone do not make the score; choose another layer";
            Error::Request(reason.into())
        })?;
        let numbers = cam::number(graph, self.how.target.score, logits[0], self.network.is_sigmoid)?;
        let columns = graph.push(Op::Columns { count }, &[numbers])?;
        let scores = Op::Contract(Contract { form: Form::Channels, groups: 1 });
        let scores = graph.push(scores, &[columns, self.network.begin.seed])?;
        let digits = vec![Digit { extent: count, from: Some((2, 1)), to: Some((0, 1)) }];
        let digits = if count > 1 { digits } else { vec![] };
        let moves = Rearrange { from: Side::whole([1, 1, count]), to: Side::whole([count, 1, 1]), digits };
        Ok(graph.rearrange(&moves, scores)?)
    }

    /// The score of the whole image, `[maps,1,1,1]`.
    fn whole(&self, graph: &mut Graph) -> Result<NodeId> {
        let begin = self.network.begin;
        Ok(graph.push(Op::WeightedSum(Term::Product), &[begin.node, begin.seed])?)
    }

    /// If only some channels are tried: a one-hot column for each, `[n,channels,1,count]`, those whose values differ most first.
    fn strongest(&self, graph: &mut Graph) -> Result<Option<NodeId>> {
        let [n, c, ..] = graph.shape(self.tap.placed);
        let Some(count) = self.how.sampling.channels.filter(|count| *count < c) else { return Ok(None) };
        let (_, variance) = cam::spread(graph, self.tap.placed)?;
        let values = graph.param(Param::new(format!("{count} next ones"), vec![count], vec![-1.0; count].into()));
        let next = graph.push(Op::Constant { values, shape: [count, 1, 1] }, &[])?;
        let next = (1..n).try_fold(next, |all, _| graph.push(Op::Stack, &[all, next]))?;
        let next = graph.push(Op::Unpack, &[next])?;
        let ranked = graph.push(Op::Select, &[variance, next])?;
        let rows = graph.push(Op::Seed { classes: c, requests: count, maps: count }, &[ranked])?;
        Ok(Some(graph.push(Op::Columns { count }, &[rows])?))
    }
}

/// The channels that one-hot columns name, or all: `y[j,p] = Σ_i layer[i,p] · columns[i,j]`.
fn picked(graph: &mut Graph, layer: NodeId, columns: Option<NodeId>) -> Result<NodeId> {
    let pick = Op::Contract(Contract { form: Form::Channels, groups: 1 });
    Ok(columns.map_or(Ok(layer), |columns| graph.push(pick, &[layer, columns]))?)
}

/// The first of each batch of images, and how many there are in it: whole blocks of channels, as far as possible.
fn batches(images: usize, total: usize) -> impl Iterator<Item = (usize, usize)> {
    let each = (BATCH / images / 4 * 4).max(4);
    (0..total).step_by(each).map(move |first| (first, each.min(total - first)))
}

/// Some of `columns`, as images: `[n · count,c,1,1]`.
fn images_of(graph: &mut Graph, columns: NodeId, first: usize, count: usize) -> Result<NodeId> {
    let [_, c, _, all] = graph.shape(columns);
    let digit = |extent, from, to| Digit { extent, from: Some((from, 1)), to: Some((to, 1)) };
    let kept = |digits: &[Digit]| digits.iter().copied().filter(|digit| digit.extent > 1).collect();
    let turned = Rearrange {
        from: Side { extents: [c, 1, all], start: [0, 0, first] },
        to: Side::whole([count, 1, c]),
        digits: kept(&[digit(c, 0, 2), digit(count, 2, 0)]),
    };
    let turned = graph.rearrange(&turned, columns)?;
    let rows = graph.push(Op::Unfold, &[turned])?;
    let upright =
        Rearrange { from: Side::whole([1, 1, c]), to: Side::whole([c, 1, 1]), digits: kept(&[digit(c, 2, 0)]) };
    Ok(graph.rearrange(&upright, rows)?)
}

/// The images through masks `[n · count,1,h,w]`.
fn seen(graph: &mut Graph, images: NodeId, masks: NodeId) -> Result<NodeId> {
    let [_, c, h, w] = graph.shape(images);
    let masks = graph.repeated(masks, [c, h, w])?;
    Ok(graph.push(Op::Broadcast(Arithmetic::Multiply), &[masks, images])?)
}
