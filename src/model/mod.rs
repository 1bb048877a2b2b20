//! A model: an architecture with weights, its expected input, and the names of its classes.
//!
//! An importer turns a file into a blueprint. Preprocessing and labels are the same for all importers.

mod blueprint;
#[cfg(feature = "bundled")]
mod bundled;
mod config;
mod facts;
mod follow;
mod labels;
mod layers;
mod listed;
mod network;
mod onnx;
mod open;
mod options;
mod preprocess;
mod recognise;
mod scores;
pub mod seeded;
mod weights;
pub mod zoo;

pub use crate::graph::Activation;
pub use facts::Origin;
pub use labels::Labels;
#[doc(hidden)]
pub use network::Network;
pub use open::models;
pub use options::ModelOptions;
pub use preprocess::{CropMode, Interpolation, Origins, Preprocess};
pub use scores::Scores;
pub use weights::Tensor;
#[doc(hidden)] // for the program
pub use weights::safetensors::numbers;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::graph::{Graph, Kind, Op, Shape};
use crate::memory::Share;
use blueprint::{Appended, Blueprint};
use zoo::Library;

/// Name of the bundled model.
pub const BUNDLED: &str = "efficientnet_lite0";

/// A network that can be built for any batch and input size. Clones share the weights.
///
/// ```
/// # #[cfg(feature = "bundled")]
/// # fn main() -> gradcam::Result<()> {
/// let model = gradcam::Model::bundled()?;
/// assert_eq!((model.classes(), model.class("tiger cat")?), (1000, 282));
/// let last = model.layers()?.into_iter().find(|layer| layer.path == model.default_layer()).unwrap();
/// assert_eq!([last.channels, last.height, last.width], [1280, 7, 7]);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "bundled"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Model {
    blueprint: Arc<dyn Blueprint>,
    /// The weights file, or the bundled model's name.
    name: String,
    provenance: Option<String>,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    scores: Scores,
    labels: Labels,
    from: Sources,
    remarks: Vec<String>,
    /// Of memory, for the weights.
    _share: Arc<Share>,
}

/// Who said what about a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Sources {
    /// Who named the architecture.
    pub architecture: Origin,
    /// Who said how photos are prepared.
    pub preprocess: Origins,
    /// Who said what the scores mean.
    pub scores: Origin,
    /// Who named the classes.
    pub labels: Origin,
}

/// What a model is, for listings and results.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Description<'a> {
    /// The architecture's name.
    pub architecture: &'a str,
    /// The library that it is from.
    pub library: Option<Library>,
    /// How a photo becomes the input.
    pub preprocess: &'a Preprocess,
    /// What the scores mean.
    pub scores: Scores,
    /// Who said so.
    pub from: Sources,
}

/// A module's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Module path, as in PyTorch.
    pub path: String,
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// In one line, for people.
impl std::fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { architecture, preprocess, scores, from, .. } = self;
        let library = self.library.map_or(String::new(), |library| format!("{library}'s "));
        let Origins { size, resize, crop_mode, interpolation, mean, std } = from.preprocess;
        write!(
            f,
            "{library}{architecture} (by {}); {preprocess} (size by {size}, resize by {resize}, ",
            from.architecture
        )?;
        write!(f, "crop mode by {crop_mode}, filter by {interpolation}, mean by {mean}, std by {std}); ")?;
        write!(f, "scores are {} (by {}), labels by {}", format!("{scores:?}").to_lowercase(), from.scores, from.labels)
    }
}

impl Model {
    /// What the model is, and who said so.
    pub fn description(&self) -> Description<'_> {
        Description {
            architecture: self.architecture(),
            library: self.blueprint.library(),
            preprocess: &self.preprocess,
            scores: self.scores,
            from: self.from,
        }
    }

    /// What was assumed about the model, or left out of its files. Each is a line that callers should show.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Whether the scores are those of a part of the image.
    pub(crate) fn has_region(&self) -> bool {
        self.blueprint.has_region()
    }

    /// What the class scores mean as probabilities.
    pub fn scores(&self) -> Scores {
        self.scores
    }

    /// The network for one normalised image of the model's own input size.
    pub(crate) fn own_network(&self) -> Result<Network> {
        let [h, w] = self.preprocess.size;
        self.network(Kind::Plain, [1, self.preprocess.channels(), h, w])
    }

    /// The trained tensors as f32, under the names that the library gives them. Those of an ONNX file have the names in the
    /// file, or, where PyTorch's exporter dropped these, names after their modules.
    pub fn tensors(&self) -> Vec<Tensor> {
        self.blueprint.tensors()
    }

    /// Metadata for a file of the tensors: the architecture, how photos are prepared, what scores mean. [`Model::parse`] follows
    /// them.
    pub fn metadata(&self) -> HashMap<String, String> {
        let Value::Object(mut facts) = json!(self.preprocess) else { unreachable!("it is a struct") };
        let size = facts.remove("size");
        facts.extend(size.map(|size| ("input_size".to_owned(), size)));
        facts.insert("scores".into(), json!(self.scores));
        facts.extend(self.provenance.as_ref().map(|from| ("provenance".to_owned(), json!(from))));
        if let Some(library) = self.blueprint.library() {
            facts.insert("architecture".into(), json!(format!("{library}/{}", self.architecture())));
        }
        let text = |value: Value| value.as_str().map_or(value.to_string(), str::to_owned);
        facts.into_iter().map(|(name, value)| (name, text(value))).collect()
    }

    /// Every layer that can be named, in PyTorch's order, for images of the model's own input size.
    ///
    /// # Errors
    /// None for a model that was loaded.
    pub fn layers(&self) -> Result<Vec<Layer>> {
        let Network { graph, modules, .. } = self.own_network()?;
        let layer = |(path, node)| {
            let [_, channels, height, width] = graph.shape(node);
            Layer { path, channels, height, width }
        };
        Ok(modules.into_iter().map(layer).collect())
    }

    /// Builds the network for images of this shape. They come as pixels, or as normalised numbers in row-major order.
    ///
    /// # Errors
    /// [`Error::Graph`] if the images are too small for the network.
    #[doc(hidden)] // for the tests
    pub fn network(&self, kind: Kind, shape: Shape) -> Result<Network> {
        self.network_of(kind, shape).map_err(|error| match error {
            Error::Graph(error) => match self.smallest(kind, shape) {
                Some(side) => Error::Graph(error.with_remedy(&format!("{side}×{side} is its smallest input"))),
                None => Error::Graph(error),
            },
            other => other,
        })
    }

    /// The smallest square input that the network takes, if this one is too small.
    fn smallest(&self, kind: Kind, [n, c, h, w]: Shape) -> Option<usize> {
        let fits = |side: &usize| self.network_of(kind, [n, c, *side, *side]).is_ok();
        let mut above = (1..).map(|doubled| h.min(w) << doubled).take_while(|side| *side <= 1024).find(fits)?;
        let mut below = above / 2;
        while above - below > 1 {
            let middle = usize::midpoint(below, above);
            if fits(&middle) { above = middle } else { below = middle }
        }
        Some(above)
    }

    fn network_of(&self, kind: Kind, shape: Shape) -> Result<Network> {
        let mut graph = Graph::default();
        let input = graph.input(kind, shape);
        let Preprocess { mean, std, .. } = self.preprocess.clone();
        let normalise = if kind == Kind::Pixels { Op::Normalise { mean, std } } else { Op::Pack };
        let features = graph.push(normalise, &[input])?;
        let Appended { graph, logits, modules, aliases, grids } = self.blueprint.append(graph, features)?;
        Ok(Network { graph, input, features, logits, modules, aliases, grids })
    }

    /// The architecture's name in torchvision or timm.
    pub fn architecture(&self) -> &str {
        self.blueprint.architecture()
    }

    /// The weights file, or the bundled model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the weights come from, if the file says so.
    pub fn provenance(&self) -> Option<&str> {
        self.provenance.as_deref()
    }

    /// Module path of the last feature map before global pooling.
    pub fn default_layer(&self) -> &str {
        self.blueprint.default_layer()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.blueprint.classes()
    }

    /// A class's name, or its number if no names are known.
    pub fn label(&self, class: usize) -> String {
        self.labels.of(class)
    }

    /// The class that is named: by its exact label or WordNet id, else by a label in other letters, else by its number.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] with similar labels, [`crate::Error::Request`] for a number past the last class, or for a label of
    /// several classes.
    pub fn class(&self, name: &str) -> Result<usize> {
        self.labels.class(name, self.classes())
    }
}
