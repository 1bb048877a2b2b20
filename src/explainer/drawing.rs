//! Overlays. They have a small plan of their own, which runs after the batch's. So photos of other sizes do not need a new
//! plan of the network, and other colours need no run of it.

use std::ops::Range;

use super::how::How;
use crate::cam::Compat;
use crate::error::Result;
use crate::graph::{Arithmetic, COLOURS, Graph, Kind, NodeId, Op, Overlay, Shape};
use crate::model::Preprocess;
use crate::picture::{Crop, Photo};

/// The overlays to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width and height of each photo.
    pub photos: Vec<[u32; 2]>,
    /// The maps of each photo, by their places in the batch.
    pub maps: Vec<Vec<usize>>,
    /// Whether the maps are in -1..1.
    pub signed: bool,
    /// The library whose overlays are drawn.
    pub compat: Compat,
}

/// The nodes of a scene's overlays in a graph.
pub struct Drawn {
    /// Input: the style's colours.
    pub colours: NodeId,
    /// Inputs: each photo in strips of rows.
    strips: Vec<Vec<NodeId>>,
    /// The overlays, ordered by photo, then by map, then by strip.
    pub outputs: Vec<NodeId>,
}

/// A scene's graph.
pub struct Drawing {
    pub graph: Graph,
    /// Input: the heat maps, as features.
    pub heatmap: NodeId,
    pub drawn: Drawn,
}

impl Scene {
    /// The scene of these photos, each with its maps.
    pub fn new(photos: &[Photo], maps: Vec<Vec<usize>>, how: &How) -> Self {
        let photos = photos.iter().map(|p| [p.width(), p.height()]).collect();
        Self { photos, maps, signed: how.normalise.is_signed(), compat: how.compat }
    }

    /// Builds a graph that draws heat maps of this shape.
    pub fn build(&self, preprocess: &Preprocess, heatmaps: Shape) -> Result<Drawing> {
        let mut graph = Graph::default();
        let heatmap = graph.input(Kind::Features, heatmaps);
        let drawn = self.append(&mut graph, heatmap, preprocess)?;
        Ok(Drawing { graph, heatmap, drawn })
    }

    /// Appends the overlays to a graph that computes the heat maps.
    pub fn append(&self, graph: &mut Graph, heatmap: NodeId, preprocess: &Preprocess) -> Result<Drawn> {
        let (mut strips, mut outputs) = (vec![], vec![]);
        let colours = graph.input(Kind::Plain, COLOURS);
        let heatmap = match self.compat {
            Compat::TorchCam => graph.push(Op::Broadcast(Arithmetic::Multiply), &[heatmap, heatmap])?,
            _ => heatmap,
        };
        for ([width, height], maps) in self.photos.iter().copied().zip(&self.maps) {
            let [left, top, crop_w, crop_h] = Crop::of(preprocess, width, height).in_photo();
            let inputs: Vec<(NodeId, u32)> = strip_rows(width, height)
                .map(|rows| (graph.input(Kind::Pixels, [1, 3, rows.len(), width as usize]), rows.start))
                .collect();
            for &map in maps {
                for (strip, first_row) in &inputs {
                    let overlay = Overlay {
                        map,
                        crop: [left, top - f64::from(*first_row), crop_w, crop_h].map(|v| v as f32),
                        signed: self.signed,
                    };
                    outputs.push(graph.push(Op::Overlay(overlay), &[heatmap, *strip, colours])?);
                }
            }
            strips.push(inputs.into_iter().map(|(node, _)| node).collect());
        }
        Ok(Drawn { colours, strips, outputs })
    }
}

impl Drawn {
    /// The inputs that take the photos.
    pub fn photos(&self) -> impl Iterator<Item = NodeId> {
        self.strips.iter().flatten().copied()
    }

    /// The content of the inputs: the style's colours, and the photos' rows.
    pub fn inputs<'a>(&self, colours: &'a [u8], photos: &'a [Photo]) -> Vec<(NodeId, &'a [u8])> {
        let mut inputs = vec![(self.colours, colours)];
        for (strips, photo) in self.strips.iter().zip(photos) {
            let row = photo.width() as usize * 4;
            let bytes = |rows: Range<u32>| &photo.rgba()[rows.start as usize * row..rows.end as usize * row];
            inputs.extend(strips.iter().copied().zip(strip_rows(photo.width(), photo.height()).map(bytes)));
        }
        inputs
    }
}

/// A picture made brighter, so that its greatest number is the greatest that there is: pytorch-grad-cam's overlays.
pub fn brighten(rgba: &mut [u8]) {
    let colours = |rgba: &[u8]| rgba.chunks(4).flat_map(|pixel| pixel[..3].to_vec()).max();
    let greatest = f32::from(colours(rgba).unwrap_or_default().max(1));
    for pixel in rgba.chunks_mut(4) {
        pixel[..3].iter_mut().for_each(|v| *v = (f32::from(*v) / greatest * 255.0) as u8);
    }
}

/// The ranges of rows that are drawn at once. A strip takes at most 32 MiB, whatever the photo's size.
pub fn strip_rows(width: u32, height: u32) -> impl Iterator<Item = Range<u32>> {
    let rows = ((8 << 20) / width).max(1);
    (0..height).step_by(rows as usize).map(move |first| first..height.min(first + rows))
}
