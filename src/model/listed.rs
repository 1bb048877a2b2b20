//! Networks from the table of architectures, with weights whose tensors have the table's names.

use std::collections::BTreeMap;

use super::blueprint::{Appended, Blueprint};
use super::recognise::Recognised;
use super::weights::Tensor;
use super::zoo::Library;
use crate::error::Result;
use crate::graph::{Builder, Graph, NodeId};

/// A row of the table, with weights.
pub struct Listed {
    network: Recognised,
    transform_input: bool,
}

impl Listed {
    /// The network that was recognised, which may convert its input as torchvision's `transform_input` does.
    pub fn new(network: Recognised, transform_input: bool) -> Self {
        Self { network, transform_input }
    }
}

impl Blueprint for Listed {
    fn architecture(&self) -> &str {
        self.network.architecture.name
    }

    fn library(&self) -> Option<Library> {
        Some(self.network.architecture.library)
    }

    fn default_layer(&self) -> &str {
        self.network.architecture.default_layer
    }

    fn classes(&self) -> usize {
        self.network.classes
    }

    fn channels(&self) -> usize {
        self.network.channels
    }

    fn size(&self) -> [usize; 2] {
        [self.network.architecture.size; 2]
    }

    fn tensors(&self) -> Vec<Tensor> {
        self.network.weights.tensors()
    }

    fn append(&self, graph: Graph, x: NodeId) -> Result<Appended> {
        let mut reader = self.network.weights.reader(&self.network.ending);
        let mut builder = Builder::new(graph, &mut reader);
        let x = if self.transform_input { transform_input(&mut builder, x)? } else { x };
        let logits = (self.network.architecture.build)(&mut builder, x, self.network.classes)?;
        let (graph, modules) = builder.finish();
        Ok(Appended { graph, logits, modules, aliases: vec![], grids: BTreeMap::new() })
    }
}

/// torchvision's `transform_input`, for GoogLeNet and Inception weights that came from TensorFlow. It converts from
/// ImageNet's normalisation to mean 1/2 and deviation 1/2.
fn transform_input(b: &mut Builder, x: NodeId) -> Result<NodeId> {
    let scale = [0.229, 0.224, 0.225].map(|std: f32| std / 0.5);
    let shift = [0.485, 0.456, 0.406].map(|mean: f32| (mean - 0.5) / 0.5);
    Ok(b.affine("transform_input", x, &scale, &shift)?)
}
