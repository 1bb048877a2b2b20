//! What kind of batch is asked for, and the graph that answers it.

use std::borrow::Cow;
use std::ops::Range;

use super::request::{Classes, Images, Outputs};
use crate::cam::{self, At, Layer, Method};
use crate::error::{Error, Result};
use crate::graph::{Graph, Kind, NodeId, Op, Overlay, Shape, fold, gradients};
use crate::model::Model;
use crate::picture::Crop;

/// Everything that a plan depends on; batches with equal recipes share one.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    pub kind: Kind,
    /// `[n,3,h,w]` of the network's input.
    pub shape: Shape,
    /// Maps of an image.
    pub maps: usize,
    /// Records of an image: its maps' classes first, then further predictions.
    pub records: usize,
    /// Whether the records are simply the most probable classes.
    pub ranked: bool,
    pub outputs: Outputs,
    /// Width and height of the photos that overlays are drawn on.
    pub photos: Vec<[u32; 2]>,
}

/// A recipe's graph.
pub struct Built {
    pub graph: Graph,
    /// Input: pixels or numbers.
    pub images: NodeId,
    /// Input: one number for each record.
    pub requests: NodeId,
    /// Inputs: the photos that overlays are drawn on, each in strips of rows.
    pub strips: Vec<Vec<NodeId>>,
    /// In the order in which [`super::result::assemble`] takes them.
    pub outputs: Vec<NodeId>,
    /// Height and width of the first target layer.
    pub layer_size: [usize; 2],
    /// The first nodes of the backward pass, choice of classes included, and of the tail.
    pub stages: [NodeId; 2],
}

impl Built {
    /// What is given to the graph's inputs, for the images and requests that its recipe was made for.
    pub fn inputs<'a>(&self, model: &Model, images: Images<'a>, requests: &'a [f32]) -> Vec<(NodeId, Cow<'a, [u8]>)> {
        let mut inputs: Vec<(NodeId, Cow<[u8]>)> = vec![(self.requests, bytemuck::cast_slice(requests).into())];
        match images {
            Images::Tensor { values, .. } => inputs.push((self.images, bytemuck::cast_slice(values).into())),
            Images::Photos(photos) => {
                let crops: Vec<Cow<[u8]>> = photos.iter().map(|p| p.input(&model.preprocess)).collect();
                inputs.push((self.images, crops.concat().into()));
                for (strips, photo) in self.strips.iter().zip(photos) {
                    let row = photo.width() as usize * 4;
                    for (node, rows) in strips.iter().zip(strip_rows(photo.width(), photo.height())) {
                        let bytes = &photo.rgba()[rows.start as usize * row..rows.end as usize * row];
                        inputs.push((*node, bytes.into()));
                    }
                }
            }
        }
        inputs
    }
}

/// Rows of a photo that are drawn at once: no piece of memory is over 32 MiB, whatever the photo's size.
pub fn strip_rows(width: u32, height: u32) -> impl Iterator<Item = Range<u32>> {
    let rows = ((8 << 20) / width).max(1);
    (0..height).step_by(rows as usize).map(move |first| first..height.min(first + rows))
}

impl Recipe {
    pub fn new(model: &Model, images: Images<'_>, classes: &Classes, outputs: &Outputs) -> Result<Self> {
        let fail = |reason: String| Err(Error::Request(reason));
        let [h, w] = model.preprocess.size;
        let (kind, shape) = match images {
            Images::Photos(photos) => (Kind::Pixels, [photos.len(), 3, h, w]),
            Images::Tensor { shape, values } => {
                if shape[1] != 3 || shape.iter().product::<usize>() != values.len() {
                    return fail(format!("the images have the shape {shape:?}; [n, 3, height, width] is needed"));
                }
                if outputs.overlay.is_some() {
                    return fail("overlays need photos, not normalised tensors".into());
                }
                // Without a branch for each number, which would keep the processor from taking several at once.
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
        let photos = match (images, outputs.overlay) {
            (Images::Photos(photos), Some(_)) => photos.iter().map(|p| [p.width(), p.height()]).collect(),
            _ => vec![],
        };
        let ranked = matches!(classes, Classes::Top(_));
        Ok(Self { kind, shape, maps, records, ranked, outputs: *outputs, photos })
    }

    /// The classes asked for, and -1 for each next most probable one.
    pub fn requests(&self, model: &Model, classes: &Classes) -> Result<Vec<f32>> {
        let of_image = |image: usize| match classes {
            Classes::Top(_) => &[][..],
            Classes::Chosen(chosen) => chosen,
            Classes::PerImage(chosen) => &chosen[image],
        };
        let mut requests = vec![];
        for image in 0..self.shape[0] {
            for &class in of_image(image) {
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

    /// The graph: network, choice of classes, backward pass, maps, overlays.
    pub fn build(&self, model: &Model, method: Method, layers: &[String]) -> Result<Built> {
        let network = model.network(self.kind, self.shape)?;
        let row = method.row();
        let targets = match row.at {
            At::Layers => layers.iter().map(|path| network.layer(path)).collect::<Result<Vec<_>>>()?,
            At::Pixels => vec![network.features],
        };
        let mut graph = network.graph;
        fold(&mut graph, &targets);

        let [n, _, h, w] = self.shape;
        let backward = graph.nodes.len();
        let requests = graph.input(Kind::Plain, [n, self.records, 1, 1]);
        let selection = graph.push(Op::Select, &[network.logits, requests])?;
        let seed = Op::Seed { classes: model.classes(), requests: self.records, maps: self.maps };
        let seed = graph.push(seed, &[selection])?;
        let gradients = match row.rule {
            Some(rule) => gradients(&mut graph, network.logits, seed, &targets, rule)?.into_iter().map(Some).collect(),
            None => vec![None; targets.len()],
        };
        let tail = graph.nodes.len();
        let layers = targets.iter().zip(gradients);
        let layers: Vec<Layer> = layers.map(|(&activations, gradients)| Layer { activations, gradients }).collect();
        let maps = cam::recipe(&mut graph, method, &layers, [h, w])?;

        let wanted = [
            Some(selection),
            Some(maps.range),
            self.outputs.logits.then_some(network.logits),
            maps.raw.filter(|_| self.outputs.raw),
            self.outputs.heatmap.then_some(maps.heatmap),
        ];
        let wanted = wanted.into_iter().flatten();
        let mut outputs = wanted.map(|node| graph.push(Op::Unpack, &[node])).collect::<Result<Vec<_>, _>>()?;
        let mut strips = vec![];
        if let Some(style) = self.outputs.overlay {
            for (i, [width, height]) in self.photos.iter().copied().enumerate() {
                let [left, top, crop_w, crop_h] = Crop::centre(&model.preprocess, width, height).in_photo();
                let inputs: Vec<(NodeId, u32)> = strip_rows(width, height)
                    .map(|rows| (graph.input(Kind::Pixels, [1, 3, rows.len(), width as usize]), rows.start))
                    .collect();
                for map in i * self.maps..(i + 1) * self.maps {
                    for (strip, first_row) in &inputs {
                        let overlay = Overlay {
                            map,
                            crop: [left, top - f64::from(*first_row), crop_w, crop_h].map(|v| v as f32),
                            alpha: style.alpha,
                            colormap: style.colormap.table(),
                        };
                        outputs.push(graph.push(Op::Overlay(overlay), &[maps.heatmap, *strip])?);
                    }
                }
                strips.push(inputs.into_iter().map(|(node, _)| node).collect());
            }
        }
        let [_, _, layer_h, layer_w] = graph.shape(targets[0]);
        let (images, layer_size, stages) = (network.input, [layer_h, layer_w], [backward, tail]);
        Ok(Built { graph, images, requests, strips, outputs, layer_size, stages })
    }
}
