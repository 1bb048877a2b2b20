//! Networks from the table of architectures, with weights whose tensors have the table's names.

use super::blueprint::{Appended, Blueprint};
use super::recognise;
use super::weights::Weights;
use super::zoo::Architecture;
use crate::error::Result;
use crate::graph::{Builder, Graph, NodeId};

/// A row of the table, with weights.
pub struct Listed {
    architecture: Architecture,
    weights: Weights,
    classes: usize,
}

impl Listed {
    /// The row of this name, or without a name the row that the weights fit.
    ///
    /// # Errors
    /// As [`recognise::recognise`].
    pub fn new(weights: Weights, name: Option<&str>) -> Result<Self> {
        let architecture = *recognise::recognise(&weights, name)?;
        let classes = recognise::classes(&weights, &architecture);
        Ok(Self { architecture, weights, classes })
    }
}

impl Blueprint for Listed {
    fn architecture(&self) -> &str {
        self.architecture.name
    }

    fn default_layer(&self) -> &str {
        self.architecture.default_layer
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn size(&self) -> [usize; 2] {
        [self.architecture.size; 2]
    }

    fn append(&self, graph: Graph, x: NodeId) -> Result<Appended> {
        let mut reader = self.weights.reader(self.architecture.ignored);
        let mut builder = Builder::new(graph, &mut reader);
        let transformed = self.weights.metadata.get("transform_input").is_some_and(|v| v == "true");
        let x = if transformed { transform_input(&mut builder, x)? } else { x };
        let logits = (self.architecture.build)(&mut builder, x, self.classes)?;
        let (graph, modules) = builder.finish();
        Ok(Appended { graph, logits, modules })
    }
}

/// torchvision's `transform_input`, for GoogLeNet and Inception weights that came from TensorFlow. It converts from
/// ImageNet's normalisation to mean 1/2 and deviation 1/2.
fn transform_input(b: &mut Builder, x: NodeId) -> Result<NodeId> {
    let scale = [0.229, 0.224, 0.225].map(|std: f32| std / 0.5);
    let shift = [0.485, 0.456, 0.406].map(|mean: f32| (mean - 0.5) / 0.5);
    Ok(b.affine("transform_input", x, &scale, &shift)?)
}
