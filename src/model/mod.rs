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
pub use options::ModelOptions;
pub use preprocess::{CropMode, Interpolation, Origins, Preprocess};
pub use scores::Scores;
pub use weights::Tensor;
#[doc(hidden)] // for the program
pub use weights::safetensors::numbers;

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::graph::{Graph, Kind, Op, Shape};
use blueprint::{Appended, Blueprint};
use config::Config;
use facts::Facts;
use listed::Listed;
use recognise::recognise;
use weights::{Weights, fail, safetensors};
use zoo::{Library, transforms};

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
    from: From,
    remarks: Vec<String>,
}

/// Who said what about a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct From {
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
    pub from: From,
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
    /// The bundled model: EfficientNet-Lite0 with Google's ImageNet weights.
    ///
    /// # Errors
    /// None, unless the library was built from damaged files.
    #[cfg(feature = "bundled")]
    pub fn bundled() -> Result<Self> {
        Self::bundled_with(&ModelOptions::default())
    }

    #[cfg(feature = "bundled")]
    fn bundled_with(options: &ModelOptions) -> Result<Self> {
        if options.architecture.is_some() {
            return Err(Error::Request("the bundled model has its own architecture; name none".into()));
        }
        let weights = bundled::weights().unwrap_or_default();
        Self::new(safetensors::parse(BUNDLED, &weights)?, None, options)
    }

    /// The bundled model by its name, or the model of a weights file.
    ///
    /// The architecture is the first that is given of: the options, the file's metadata, a `config.json` beside the
    /// file. If none names it, it is the only architecture with these tensors.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Read`] or [`Error::Weights`].
    pub fn open(name: &str, options: &ModelOptions) -> Result<Self> {
        #[cfg(feature = "bundled")]
        if name == BUNDLED {
            return Self::bundled_with(options);
        }
        let path = Path::new(name);
        if path.extension().is_none() && !path.exists() {
            return Err(Error::unknown("model", name, "gradcam models", models()));
        }
        let (weights, folder) = weights::open(path)?;
        Self::new(weights, Some(&folder), options)
    }

    /// The model of a weights file's bytes; `what` names it in errors.
    ///
    /// # Errors
    /// [`Error::Weights`] if the file is damaged, does not fit the architecture, or the architecture does not exist.
    pub fn parse(what: &str, bytes: &[u8], options: &ModelOptions) -> Result<Self> {
        Self::new(weights::parse(what, bytes)?, None, options)
    }

    /// The model of tensors in memory, each with its extents; `what` names the model in errors.
    ///
    /// # Errors
    /// As [`Model::parse`].
    pub fn from_tensors(what: &str, tensors: Vec<Tensor>, options: &ModelOptions) -> Result<Self> {
        Self::new(Weights::new(what, tensors)?, None, options)
    }

    /// The model of tensors, with what the files in `folder` say of it.
    fn new(weights: Weights, folder: Option<&Path>, options: &ModelOptions) -> Result<Self> {
        let what = weights.what().to_owned();
        let mut facts = options.facts();
        facts.note_metadata(&weights.metadata);
        let config = folder.map(|folder| Config::read(folder, &mut facts)).unwrap_or_default();

        let named = options.architecture.as_deref().map(|name| (name, Origin::Option));
        let written = facts.get("architecture").and_then(|(name, by)| Some((name.as_str()?, by)));
        let (name, tag, by) = match named.or(written) {
            Some((name, by)) => {
                // As in `timm/resnet18.a1_in1k`.
                let name = name.rsplit('/').next().unwrap_or(name);
                let (name, tag) = name.split_once('.').map_or((name, None), |(name, tag)| (name, Some(tag)));
                (Some(name.to_owned()), tag.map(str::to_owned), by)
            }
            None => (None, None, Origin::Tensors),
        };
        let ending = follow::ending(&what, &facts)?;
        let mut network = recognise(&weights, name.as_deref(), &ending, options)?;
        follow::need(&what, &facts, network.needs)?;
        let architecture = network.architecture;
        if ending.output_stride.is_some() && !architecture.dilates {
            return Err(fail(
                &what,
                format!("{} has no dilated form here: output_stride is not supported", architecture.name),
            ));
        }
        let mut remarks = config.remarks;
        remarks.append(&mut network.remarks);

        let written = facts.text("tag").map(str::to_owned);
        let transform = match (&tag, written) {
            (Some(tag), _) => match transforms::of(architecture, Some(tag)) {
                None if by == Origin::Option => {
                    let tags = transforms::tags(architecture.name);
                    let error = Error::unknown("tag", tag, "timm.list_pretrained", tags);
                    return Err(fail(&what, error.to_string()));
                }
                found => found,
            },
            (None, Some(tag)) => transforms::of(architecture, Some(&tag)),
            (None, None) => None,
        };
        let transform = transform.or_else(|| transforms::of(architecture, None));
        let of_library = transform.as_ref().map_or_else(
            || "is usual".to_owned(),
            |transform| format!("{} does for its weights {}", architecture.library, transform.tag),
        );
        for (name, value) in transform.into_iter().flat_map(|transform| transform.facts) {
            // A mean of three colours is none of another number of channels.
            let of_colours = network.channels == 3 || !matches!(name, "mean" | "std" | "transform_input");
            // Of the library's builders only those of its own trained weights turn this on.
            if of_colours && (name != "transform_input" || network.classes == 1000) {
                facts.note(name, value, Origin::Library);
            }
        }
        let is_true = |value: &serde_json::Value| value.as_bool();
        let transform_input = facts.read(&what, "transform_input", "true or false is needed", is_true)?;
        if transforms::of(architecture, None)
            .is_some_and(|t| t.facts.iter().any(|(name, _)| *name == "transform_input"))
            && transform_input.is_none_or(|(_, by)| by == Origin::Library)
        {
            remarks.push(match transform_input {
                Some(_) => "transform_input is assumed to be on, as for torchvision's own weights".into(),
                None => {
                    "transform_input is assumed to be off; if these were torchvision's weights, --transform-input true"
                        .into()
                }
            });
        }
        let listed = Listed::new(network, transform_input.is_some_and(|(transform, _)| transform));
        let labels = match &options.labels {
            Some(labels) => (Labels::new(labels.clone()), Origin::Option),
            None => (config.labels, Origin::Config),
        };
        let mut model = Self::of(Arc::new(listed), what, &facts, by, labels)?;
        remarks.append(&mut model.remarks);
        let Origins { size, resize, interpolation, mean, std, .. } = model.from.preprocess;
        if folder.is_some() && ![size, resize, interpolation, mean, std].iter().all(|origin| origin.is_known()) {
            remarks.push(format!(
                "taken for {}'s {}; how photos were prepared is not said in full, so as {of_library}: {}; \
                 --size, --resize, --crop-mode, --interpolation, --mean and --std change it",
                architecture.library, architecture.name, model.preprocess
            ));
        }
        Ok(Self { remarks, ..model })
    }

    /// Of any importer's blueprint, with the facts about the file `what`. The architecture was named by `by`.
    fn of(
        blueprint: Arc<dyn Blueprint>,
        what: String,
        facts: &Facts,
        by: Origin,
        (labels, labels_by): (Labels, Origin),
    ) -> Result<Self> {
        let classes = blueprint.classes();
        let (preprocess, of_photos) = Preprocess::of(&what, facts, blueprint.size(), blueprint.channels())?;
        let (scores, of_scores) = Scores::of(&what, facts, classes)?;
        let mut remarks = vec![];
        if !labels.is_empty() && labels.len() != classes {
            let wrong = format!("{} labels are given for {classes} classes", labels.len());
            if labels_by == Origin::Option {
                return Err(fail(&what, wrong));
            }
            remarks.push(format!("{wrong}, so they are left out"));
        }
        let (labels, labels_by) = match labels {
            labels if labels.len() == classes => (labels, labels_by),
            _ if classes == 1000 => {
                if facts.get("provenance").is_none_or(|(_, by)| by != Origin::File) {
                    remarks
                        .push("the names of its 1000 classes are guessed to be ImageNet's; --labels names them".into());
                }
                (Labels::imagenet(), Origin::Assumed)
            }
            _ => (Labels::default(), Origin::Assumed),
        };
        let provenance = facts.text("provenance").map(str::to_owned);
        let from = From { architecture: by, preprocess: of_photos, scores: of_scores, labels: labels_by };
        Ok(Self { blueprint, name: what, provenance, preprocess, scores, labels, from, remarks })
    }

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

    /// What the class scores mean as probabilities.
    pub fn scores(&self) -> Scores {
        self.scores
    }

    /// The network for one normalised image of the model's own input size.
    pub(crate) fn own_network(&self) -> Result<Network> {
        let [h, w] = self.preprocess.size;
        self.network(Kind::Plain, [1, self.preprocess.channels(), h, w])
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
        let Preprocess { mean, std, .. } = self.preprocess.clone();
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

    /// The class that is named: by its exact label or WordNet id, else by a label in other letters, else by its number.
    ///
    /// # Errors
    /// [`Error::Unknown`] with similar labels, [`Error::Request`] for a number past the last class, or for a label of
    /// several classes.
    pub fn class(&self, name: &str) -> Result<usize> {
        self.labels.class(name, self.classes())
    }
}

/// Names of the models that are available without a file.
pub fn models() -> impl Iterator<Item = &'static str> {
    cfg!(feature = "bundled").then_some(BUNDLED).into_iter()
}
