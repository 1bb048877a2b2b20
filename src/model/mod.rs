//! What a network is: an architecture with weights, the input it expects, and its classes' names.
//!
//! An importer reads a file and makes a blueprint of it; preprocessing and labels do not depend on which one.

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

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{Graph, Kind, Op, Shape};
use blueprint::{Appended, Blueprint};
use config::Config;
use labels::Labels;
use listed::Listed;
use weights::{Weights, safetensors};

/// Name of the model inside the library.
pub const BUNDLED: &str = "efficientnet_lite0";

/// A network ready to be built for any batch and input size; copies share its weights.
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
    /// Module path, as PyTorch has it.
    pub path: String,
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Model {
    /// The model inside the library: EfficientNet-Lite0 with Google's ImageNet weights.
    ///
    /// # Errors
    /// None, unless the library was built from damaged files.
    #[cfg(feature = "bundled")]
    pub fn bundled() -> Result<Self> {
        let weights = bundled::weights().unwrap_or_default();
        Self::parse(BUNDLED, &weights, None)
    }

    /// The bundled model by its name, or the model of a safetensors file. The architecture is `architecture`, or
    /// what the file's metadata names, or a `config.json` beside it, or the only one with just these tensors.
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
        // What the weights say themselves comes before what lies beside them.
        for (key, value) in config.metadata() {
            weights.metadata.entry(key).or_insert(value);
        }
        Self::new(weights, architecture, config.labels())
    }

    /// The model of a safetensors file's bytes; `what` names it in errors.
    ///
    /// # Errors
    /// [`Error::Weights`] if the file is damaged or does not fit the architecture, [`Error::Unknown`] if the
    /// architecture does not exist.
    pub fn parse(what: &str, bytes: &[u8], architecture: Option<&str>) -> Result<Self> {
        Self::new(safetensors::parse(what, bytes)?, architecture, vec![])
    }

    /// The model of tensors in memory, each with its extents; `what` names them in errors.
    ///
    /// # Errors
    /// As [`Model::parse`].
    pub fn from_tensors(what: &str, tensors: Vec<Tensor>, architecture: Option<&str>) -> Result<Self> {
        Self::new(Weights::new(what, tensors)?, architecture, vec![])
    }

    /// Of tensors with the names of an architecture of the table.
    fn new(weights: Weights, architecture: Option<&str>, labels: Vec<String>) -> Result<Self> {
        let (what, metadata) = (weights.what().to_owned(), weights.metadata.clone());
        let listed = Listed::new(weights, architecture.or(metadata.get("architecture").map(String::as_str)))?;
        let preprocess = Preprocess::of(&what, &metadata, listed.size())?;
        let labels = Labels::new(labels, listed.classes());
        let provenance = metadata.get("provenance").cloned();
        Ok(Self { blueprint: Arc::new(listed), name: what, provenance, preprocess, labels })
    }

    /// Every layer that can be named, in PyTorch's order, for images of the model's own size.
    ///
    /// # Errors
    /// None for a model that was loaded.
    pub fn layers(&self) -> Result<Vec<Layer>> {
        let [h, w] = self.preprocess.size;
        let Network { graph, modules, .. } = self.network(Kind::Plain, [1, 3, h, w])?;
        let layer = |(path, node)| {
            let [_, channels, height, width] = graph.shape(node);
            Layer { path, channels, height, width }
        };
        Ok(modules.into_iter().map(layer).collect())
    }

    /// Builds the network for images of this shape, given as pixels or as normalised plain numbers.
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

    /// The architecture's name, as torchvision or timm has it.
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

    /// A class's name; its number where no names are known.
    pub fn label(&self, class: usize) -> String {
        self.labels.of(class)
    }

    /// The class of a number or of a label, whatever the case.
    ///
    /// # Errors
    /// [`Error::Unknown`] with near labels, [`Error::Request`] for a number past the last.
    pub fn class(&self, name: &str) -> Result<usize> {
        self.labels.class(name, self.classes())
    }
}

/// Names of the models that need no file.
pub fn models() -> impl Iterator<Item = &'static str> {
    cfg!(feature = "bundled").then_some(BUNDLED).into_iter()
}
