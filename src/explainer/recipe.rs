//! The kind of a batch, and the graph that computes it.

use std::borrow::Cow;

use super::checks::{check, principal};
use super::how::How;
use super::operands::{Operands, operands};
use super::request::{Classes, Images, Outputs};
use super::smoothed::augmented;
use super::tap::{Begun, Tap};
use crate::cam::{self, At, Method, Passes, Target};
use crate::error::{Error, Result};
use crate::graph::{Activation, Graph, Kind, Node, NodeId, Op, Rule, Shape, fold};
use crate::model::{Model, Scores};

/// Everything about a batch that its plan depends on. Batches with equal recipes share a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    pub kind: Kind,
    /// `[n,3,h,w]` of the network's input.
    pub shape: Shape,
    /// Number of maps of an image.
    pub maps: usize,
    /// Number of records of an image: those of its maps' classes first, then further predictions.
    pub records: usize,
    /// Whether the records are simply the most probable classes.
    pub ranked: bool,
    /// Without the style of overlays, because another plan draws them.
    pub outputs: Outputs,
    /// Whether the heat maps are kept for the plan of the overlays.
    pub draws: bool,
}

/// Where a method's maps are among those of all methods: image by image, class by class from the first on.
#[derive(Clone, Copy)]
pub struct Place {
    pub method: Method,
    first: usize,
    /// Maps of an image: one for each class, or one for all.
    per_image: usize,
}

impl Place {
    /// The place of the map of an image's class.
    pub fn of(&self, image: usize, class: usize) -> usize {
        self.first + image * self.per_image + class.min(self.per_image - 1)
    }
}

/// A recipe's graph.
pub struct Built {
    pub graph: Graph,
    /// Input: pixels or numbers.
    pub images: NodeId,
    /// Input: one number for each record.
    pub requests: NodeId,
    /// In the order that [`super::result::assemble`] expects.
    pub outputs: Vec<NodeId>,
    /// The heat maps, as features.
    pub heatmap: NodeId,
    /// The methods, and where their maps are among all.
    pub maps: Vec<Place>,
    /// Whether the sums along a path are an output.
    pub has_sums: bool,
    /// The size of the embeddings, if they are an output.
    pub embedding: usize,
    /// Whether the similarities are an output.
    pub has_similarity: bool,
    /// Height and width of the first target layer.
    pub layer_size: [usize; 2],
    /// The first nodes of two stages: the backward pass, including the choice of classes, and the tail.
    pub stages: [NodeId; 2],
}

impl Built {
    /// The contents of the graph's inputs, for images and requests that fit its recipe.
    pub fn inputs<'a>(
        &self,
        model: &Model,
        images: Images<'a>,
        requests: &'a [f32],
    ) -> Result<Vec<(NodeId, Cow<'a, [u8]>)>> {
        let mut inputs: Vec<(NodeId, Cow<[u8]>)> = vec![(self.requests, bytemuck::cast_slice(requests).into())];
        match images {
            Images::Tensor { values, .. } => inputs.push((self.images, bytemuck::cast_slice(values).into())),
            Images::Photos(photos) => {
                let crops: Vec<Cow<[u8]>> = photos.iter().map(|p| p.input(&model.preprocess)).collect::<Result<_>>()?;
                inputs.push((self.images, crops.concat().into()));
            }
        }
        Ok(inputs)
    }
}

impl Recipe {
    pub fn new(model: &Model, images: Images<'_>, classes: &Classes, outputs: &Outputs) -> Result<Self> {
        let fail = |reason: String| Err(Error::Request(reason));
        let channels = model.preprocess.channels();
        let (kind, shape) = match images {
            Images::Photos(photos) => {
                let sizes = photos.iter().map(|p| model.preprocess.input_size(p.width() as usize, p.height() as usize));
                let [h, w] = sizes.clone().next().unwrap_or(model.preprocess.size);
                if sizes.clone().any(|size| size != [h, w]) {
                    return fail("the photos of a batch give inputs of several sizes; explain them apart".into());
                }
                if let Some(photo) = photos.iter().find(|photo| !photo.has_channels(channels)) {
                    return fail(format!(
                        "{}: the network takes {channels} channels; give a TIFF of {channels} bands, not marked as RGB, or tensors",
                        photo.name
                    ));
                }
                match channels {
                    1 | 3 => (Kind::Pixels, [photos.len(), 3, h, w]),
                    _ => (Kind::Plain, [photos.len(), channels, h, w]),
                }
            }
            Images::Tensor { shape, values } => {
                if shape[1] != channels || shape.iter().product::<usize>() != values.len() {
                    let needed = format!("[n, {channels}, height, width]");
                    return fail(format!("the images have the shape {shape:?}; {needed} is needed"));
                }
                if outputs.overlay.is_some() {
                    return fail("overlays need photos, not normalised tensors".into());
                }
                // A branch for each number would keep the CPU from checking several at once.
                let finite = |chunk: &[f32]| chunk.iter().fold(true, |all, v| all & v.is_finite());
                if !values.chunks(1 << 12).all(finite) {
                    let at = values.iter().position(|v| !v.is_finite()).unwrap_or_default();
                    return fail(format!("the images hold {} at {at}", values[at]));
                }
                (Kind::Plain, shape)
            }
        };
        let (maps, records) = match classes {
            Classes::Top(k) => (*k, outputs.predictions.min(model.classes()).max(*k)),
            Classes::Chosen(chosen) => (chosen.len(), chosen.len() + outputs.predictions.min(model.classes())),
            Classes::PerImage(chosen) => {
                let k = chosen.first().map_or(0, Vec::len);
                if chosen.len() != shape[0] || chosen.iter().any(|c| c.len() != k) {
                    return fail(format!(
                        "classes are given for {} images of {}, or not equally many",
                        chosen.len(),
                        shape[0]
                    ));
                }
                (k, k + outputs.predictions.min(model.classes()))
            }
        };
        if shape.contains(&0) || maps == 0 {
            return fail("there is nothing to explain: no images or no classes".into());
        }
        if matches!(classes, Classes::Top(k) if *k > model.classes()) {
            return fail(format!("the model has only {} classes", model.classes()));
        }
        let ranked = matches!(classes, Classes::Top(_));
        let (draws, outputs) = (outputs.overlay.is_some(), outputs.overlay(None));
        Ok(Self { kind, shape, maps, records, ranked, outputs, draws })
    }

    /// The classes asked for, then -1 for each record of the next most probable class.
    pub fn requests(&self, model: &Model, target: &Target, classes: &Classes) -> Result<Vec<f32>> {
        let of_image = |image: usize| match classes {
            Classes::Top(_) => &[][..],
            Classes::Chosen(chosen) => chosen,
            Classes::PerImage(chosen) => &chosen[image],
        };
        let mut requests = vec![];
        for image in 0..self.shape[0] {
            for &class in of_image(image) {
                // Lists of each image's own classes cannot spare these.
                let is_chosen = matches!(classes, Classes::Chosen(_));
                if is_chosen && (target.with.contains(&class) || target.against.contains(&class)) {
                    let reason = format!("class {class} is explained, so leave it out of --with and --against");
                    return Err(Error::Request(reason));
                }
                if class >= model.classes() {
                    let last = model.classes() - 1;
                    return Err(Error::Request(format!(
                        "there is no class {class}; the model's classes are 0 to {last}"
                    )));
                }
                requests.push(class as f32);
            }
            requests.resize((image + 1) * self.records, -1.0);
        }
        Ok(requests)
    }

    /// Builds the graph: network, choice of classes, backward passes, maps.
    pub fn build(&self, model: &Model, how: &How) -> Result<Built> {
        let How { methods, layers, target, .. } = how;
        check(model, how, self.draws)?;
        let network = model.network(self.kind, self.shape)?;
        let tap = |at, node, grid| Tap { at, node, grid, placed: node };
        let of_layer = |path: &String| {
            let mut node = network.layer(path)?;
            if how.before_activation {
                let Op::Activate(_) = network.graph.nodes[node].op else {
                    return Err(Error::Request(format!("layer '{path}' ends in no activation; leave --tap out")));
                };
                node = network.graph.nodes[node].inputs[0];
            }
            Ok(tap(At::Layers, node, network.grid(path)?.cloned()))
        };
        let mut taps = layers.iter().map(of_layer).collect::<Result<Vec<_>>>()?;
        taps.push(tap(At::Pixels, network.features, None));
        taps.retain(|tap| methods.iter().flat_map(|method| method.parts()).any(|row| row.at == tap.at));
        let mut graph = network.graph;
        principal(&graph, how, &taps)?;
        if how.smoothing.augmented && model.has_region() {
            let reason = "--aug-smooth mirrors the image, but not the box; leave one of them out";
            return Err(Error::Request(reason.into()));
        }
        let mut kept: Vec<NodeId> = taps.iter().map(|tap| tap.node).collect();
        if methods.iter().any(|method| method.row().passes == Passes::Biases) {
            if graph.nodes.iter().any(|node| node.op == Op::Softmax) {
                let reason = "fullgrad needs feature maps, and layers of this network hold tokens; take another method";
                return Err(Error::Request(reason.into()));
            }
            // Folded, the biases of a convolution and of the norm after it would be one.
            let has_bias = |node: &Node| matches!(&node.op, Op::Conv2d(conv) if conv.bias.is_some());
            kept.extend((0..graph.nodes.len()).filter(|id| has_bias(&graph.nodes[*id])));
        }
        fold(&mut graph, &kept);

        let has_relu = graph.nodes.iter().any(|node| node.op == Op::Activate(Activation::Relu));
        let changes = |rule: Option<Rule>| rule.is_some_and(|rule| rule != Rule::Standard);
        let is_of_relu = |method: &&Method| method.parts().iter().any(|row| changes(row.rule));
        if let Some(method) = methods.iter().find(is_of_relu).filter(|_| !has_relu) {
            let reason = "changes how gradients pass a ReLU, and this network has none; saliency is what it would be";
            return Err(Error::Request(format!("{} {reason}", method.name())));
        }

        let [n, _, h, w] = self.shape;
        let backward = graph.nodes.len();
        let requests = graph.input(Kind::Plain, [n, self.records, 1, 1]);
        let selection = graph.push(Op::Select, &[network.logits, requests])?;
        let seed = Op::Seed { classes: model.classes(), requests: self.records, maps: self.maps };
        let one_hot = graph.push(seed, &[selection])?;
        let is_sigmoid = model.scores() == Scores::Sigmoid;
        let (images, logits) = (network.features, network.logits);
        let embedding = match self.outputs.embedding || how.similar_to.is_some() {
            true => Some(cam::embedding(&graph, logits).ok_or_else(no_embedding)?),
            false => None,
        };
        let similarity = embedding.zip(how.similar_to.as_ref());
        let similarity =
            similarity.map(|(node, reference)| cam::similarity(&mut graph, node, reference)).transpose()?;
        let (output, begin) = match &similarity {
            Some(similarity) => (similarity.begin.node, similarity.begin),
            None => (logits, cam::begin(&mut graph, target, logits, one_hot, is_sigmoid)?),
        };
        let begun = Begun { images, logits, output, one_hot, begin, is_sigmoid };
        let Operands { asked, sums } = operands(&mut graph, how, &begun, &mut taps)?;
        let tail = graph.nodes.len();
        let mut maps = cam::heatmap(&mut graph, &asked, [h, w], how.finish())?;
        if how.smoothing.augmented {
            maps.heatmap = augmented(&mut graph, how, &begun, &taps, maps.heatmap)?;
        }

        let read = embedding.filter(|_| self.outputs.embedding);
        let wanted = [
            Some(selection),
            Some(maps.range),
            self.outputs.logits.then_some(network.logits),
            maps.raw.filter(|_| self.outputs.raw),
            self.outputs.heatmap.then_some(maps.heatmap),
            sums,
            read,
            similarity.as_ref().map(|similarity| similarity.cosine),
        ];
        let wanted = wanted.into_iter().flatten();
        let outputs = wanted.map(|node| graph.push(Op::Unpack, &[node])).collect::<Result<Vec<_>, _>>()?;
        let of_class = |method: Method| method.is_of_class() && how.similar_to.is_none();
        let per_image = |method: Method| if of_class(method) { self.maps } else { 1 };
        let places = methods.iter().zip(maps.firsts);
        let places = places.map(|(method, first)| Place { method: *method, first, per_image: per_image(*method) });
        let [_, _, layer_h, layer_w] = graph.shape(maps.raw.unwrap_or(taps[0].placed));
        let embedding_size = read.map_or(0, |node| graph.shape(node)[1]);
        Ok(Built {
            graph,
            images: network.input,
            requests,
            outputs,
            heatmap: maps.heatmap,
            maps: places.collect(),
            has_sums: sums.is_some(),
            embedding: embedding_size,
            has_similarity: similarity.is_some(),
            layer_size: [layer_h, layer_w],
            stages: [backward, tail],
        })
    }
}

fn no_embedding() -> Error {
    Error::Request("the network has no embedding, because no linear layer of pooled features makes its scores".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explainer::Style;
    use crate::picture::{Colormap, Photo};

    /// Photos of any sizes in any colours share the network's plan.
    #[test]
    fn pictures_do_not_shape_the_batch() {
        let model = Model::seeded("squeezenet1_1", 7, 1.0).unwrap();
        let recipe = |[width, height]: [u32; 2], style: Style| {
            let grey = vec![128; (width * height * 4) as usize];
            let photo = Photo::from_rgba("grey", width, height, grey).unwrap();
            let outputs = Outputs::default().overlay(style);
            Recipe::new(&model, Images::Photos(&[photo]), &Classes::Top(1), &outputs).unwrap()
        };
        let first = recipe([40, 30], Style::default());
        assert_eq!(first, recipe([500, 8], Style::default().alpha(0.1).colormap(Colormap::Gray)));
        assert!(first.draws);
    }
}
