//! A model: an architecture with weights, its expected input, and the names of its classes.
//!
//! An importer turns a file into a blueprint. Preprocessing and labels are the same for all importers.

mod blueprint;
#[cfg(feature = "bundled")]
mod bundled;
mod config;
mod labels;
mod layers;
mod listed;
mod network;
mod preprocess;
mod recognise;
pub mod seeded;
mod weights;
pub mod zoo;

#[doc(hidden)]
pub use network::Network;
pub use preprocess::{Interpolation, Preprocess};
pub use weights::Tensor;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{Graph, Kind, Op, Shape};
use blueprint::{Appended, Blueprint};
use config::Config;
use labels::Labels;
use listed::Listed;
use weights::{Weights, safetensors};

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
    labels: Labels,
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

impl Model {
    /// The bundled model: EfficientNet-Lite0 with Google's ImageNet weights.
    ///
    /// # Errors
    /// None, unless the library was built from damaged files.
    #[cfg(feature = "bundled")]
    pub fn bundled() -> Result<Self> {
        let weights = bundled::weights().unwrap_or_default();
        Self::parse(BUNDLED, &weights, None)
    }

    /// The bundled model by its name, or the model of a safetensors file.
    ///
    /// The architecture is the first that is given of: `architecture`, the file's metadata, a `config.json` beside
    /// the file. If none names it, it is the only architecture with exactly these tensors.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Read`] or [`Error::Weights`].
    pub fn open(name: &str, architecture: Option<&str>) -> Result<Self> {
        #[cfg(feature = "bundled")]
        if name == BUNDLED {
            return Self::bundled();
        }
        let path = Path::new(name);
        if path.extension().is_none() && !path.exists() {
            return Err(Error::unknown("model", name, "gradcam models", models()));
        }
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        let config = Config::beside(path)?.unwrap_or_default();
        let mut weights = safetensors::parse(name, &bytes)?;
        // Metadata inside the weights file takes precedence over the config file.
        for (key, value) in config.metadata() {
            weights.metadata.entry(key).or_insert(value);
        }
        Self::new(weights, architecture, config.labels())
    }

    /// The model of a safetensors file's bytes; `what` names it in errors.
    ///
    /// # Errors
    /// [`Error::Weights`] if the file is damaged, does not fit the architecture, or the architecture does not exist.
    pub fn parse(what: &str, bytes: &[u8], architecture: Option<&str>) -> Result<Self> {
        Self::new(safetensors::parse(what, bytes)?, architecture, vec![])
    }

    /// The model of tensors in memory, each with its extents; `what` names the model in errors.
    ///
    /// # Errors
    /// As [`Model::parse`].
    pub fn from_tensors(what: &str, tensors: Vec<Tensor>, architecture: Option<&str>) -> Result<Self> {
        Self::new(Weights::new(what, tensors)?, architecture, vec![])
    }

    /// The model of tensors that are named as in the table of architectures.
    fn new(weights: Weights, architecture: Option<&str>, labels: Vec<String>) -> Result<Self> {
        let (what, metadata) = (weights.what().to_owned(), weights.metadata.clone());
        let listed = Listed::new(weights, architecture.or(metadata.get("architecture").map(String::as_str)))?;
        Self::of(Arc::new(listed), what, &metadata, labels)
    }

    /// Of any importer's blueprint, with what the file `what` says besides.
    fn of(
        blueprint: Arc<dyn Blueprint>,
        what: String,
        metadata: &HashMap<String, String>,
        labels: Vec<String>,
    ) -> Result<Self> {
        let preprocess = Preprocess::of(&what, metadata, blueprint.size())?;
        let labels = Labels::new(labels, blueprint.classes());
        let provenance = metadata.get("provenance").cloned();
        Ok(Self { blueprint, name: what, provenance, preprocess, labels })
    }

    /// The network for one normalised image of the model's own input size.
    pub(crate) fn own_network(&self) -> Result<Network> {
        let [h, w] = self.preprocess.size;
        self.network(Kind::Plain, [1, 3, h, w])
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
        let mut graph = Graph::default();
        let input = graph.input(kind, shape);
        let Preprocess { mean, std, .. } = self.preprocess;
        let normalise = if kind == Kind::Pixels { Op::Normalise { mean, std } } else { Op::Pack };
        let features = graph.push(normalise, &[input])?;
        let Appended { graph, logits, modules } = self.blueprint.append(graph, features)?;
        Ok(Network { graph, input, features, logits, modules })
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

    /// The class that a number or a label names. Upper and lower case are equal.
    ///
    /// # Errors
    /// [`Error::Unknown`] with similar labels, [`Error::Request`] for a number past the last class.
    pub fn class(&self, name: &str) -> Result<usize> {
        self.labels.class(name, self.classes())
    }
}

/// Names of the models that are available without a file.
pub fn models() -> impl Iterator<Item = &'static str> {
    cfg!(feature = "bundled").then_some(BUNDLED).into_iter()
}
