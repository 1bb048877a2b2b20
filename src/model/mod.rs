//! What a network is: an architecture with weights, the input it expects, and its classes' names.

#[cfg(feature = "bundled")]
mod bundled;
mod config;
mod layers;
mod recognise;
pub mod seeded;
mod weights;
pub mod zoo;

use std::path::Path;

use crate::error::{Error, Result};
use crate::graph::{Builder, Graph, Kind, NodeId, Op, Shape};
use config::Config;
use weights::Weights;

pub use weights::Tensor;
use zoo::Architecture;

/// Name of the model inside the library.
pub const BUNDLED: &str = "efficientnet_lite0";

/// Resampling filter of the preprocessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Triangle filter, antialiased.
    Bilinear,
    /// Catmull-Rom filter (a = -0.5), antialiased.
    Bicubic,
}

/// How a photo becomes the network's input.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Preprocess {
    /// Height and width of the input.
    pub size: [usize; 2],
    /// Share of the resized photo that the centre crop keeps.
    pub crop_pct: f64,
    /// The filter that resizes the photo.
    pub interpolation: Interpolation,
    /// Per channel, in units of 0..1.
    pub mean: [f32; 3],
    /// Per channel, in units of 0..1.
    pub std: [f32; 3],
}

/// A network ready to be built for any batch and input size; copies share its weights.
#[derive(Clone)]
pub struct Model {
    architecture: Architecture,
    weights: Weights,
    classes: usize,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    labels: Vec<String>,
}

/// A built network.
pub struct Network {
    /// Its graph.
    pub graph: Graph,
    /// The node that takes the images: pixels, or normalised numbers `[n,3,h,w]`.
    pub input: NodeId,
    /// The class scores before softmax, `[n,classes,1,1]`.
    pub logits: NodeId,
    /// Module paths with the nodes of their outputs, in PyTorch's order.
    pub modules: Vec<(String, NodeId)>,
}

impl Network {
    /// The node of a module's output. A negative component counts from the end: `blocks.-1`.
    ///
    /// # Errors
    /// [`Error::Unknown`] with near paths.
    pub fn layer(&self, path: &str) -> Result<NodeId> {
        layers::resolve(&self.modules, path)
    }
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
        let mut weights = Weights::parse(name, &bytes)?;
        // What the weights say themselves comes before what lies beside them.
        for (key, value) in config.metadata() {
            weights.metadata.entry(key).or_insert(value);
        }
        let mut model = Self::new(weights, architecture)?;
        let labels = config.labels();
        if labels.len() == model.classes {
            model.labels = labels;
        }
        Ok(model)
    }

    /// The model of a safetensors file's bytes; `what` names it in errors.
    ///
    /// # Errors
    /// [`Error::Weights`] if the file is damaged or does not fit the architecture, [`Error::Unknown`] if the
    /// architecture does not exist.
    pub fn parse(what: &str, bytes: &[u8], architecture: Option<&str>) -> Result<Self> {
        Self::new(Weights::parse(what, bytes)?, architecture)
    }

    /// The model of tensors in memory, each with its extents; `what` names them in errors.
    ///
    /// # Errors
    /// As [`Model::parse`].
    pub fn from_tensors(what: &str, tensors: Vec<Tensor>, architecture: Option<&str>) -> Result<Self> {
        Self::new(Weights::new(what, tensors)?, architecture)
    }

    fn new(weights: Weights, architecture: Option<&str>) -> Result<Self> {
        let name = architecture.or(weights.metadata.get("architecture").map(String::as_str));
        let architecture = *recognise::recognise(&weights, name)?;
        let preprocess = Preprocess::of(&weights, architecture.size)?;
        let classes = recognise::classes(&weights, &architecture);
        let labels = if classes == 1000 {
            include_str!("../../weights/imagenet_labels.txt").lines().map(str::to_owned).collect()
        } else {
            vec![]
        };
        Ok(Self { architecture, weights, classes, preprocess, labels })
    }

    /// Builds the network for images of this shape, given as pixels or as normalised plain numbers.
    ///
    /// # Errors
    /// [`Error::Graph`] if the images are too small for the network.
    pub fn network(&self, kind: Kind, shape: Shape) -> Result<Network> {
        self.build(&mut self.weights.reader(self.architecture.ignored), kind, shape)
    }

    fn build(&self, reader: &mut weights::Reader, kind: Kind, shape: Shape) -> Result<Network> {
        let mut graph = Graph::default();
        let input = graph.input(kind, shape);
        let Preprocess { mean, std, .. } = self.preprocess;
        let x = graph.push(if kind == Kind::Pixels { Op::Normalise { mean, std } } else { Op::Pack }, &[input])?;
        let mut builder = Builder::new(graph, reader);
        let transformed = self.weights.metadata.get("transform_input").is_some_and(|v| v == "true");
        let x = if transformed { transform_input(&mut builder, x)? } else { x };
        let logits = (self.architecture.build)(&mut builder, x, self.classes)?;
        let (graph, modules) = builder.finish();
        Ok(Network { graph, input, logits, modules })
    }

    /// The architecture's name, as torchvision or timm has it.
    pub fn architecture(&self) -> &'static str {
        self.architecture.name
    }

    /// The weights file, or the bundled model's name.
    pub fn name(&self) -> &str {
        self.weights.what()
    }

    /// Where the weights come from, if the file says so.
    pub fn provenance(&self) -> Option<&str> {
        self.weights.metadata.get("provenance").map(String::as_str)
    }

    /// Module path of the last feature map before global pooling.
    pub fn default_layer(&self) -> &'static str {
        self.architecture.default_layer
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// A class's name; its number where no names are known.
    pub fn label(&self, class: usize) -> String {
        self.labels.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
    }

    /// The class of a number or of a label, whatever the case.
    ///
    /// # Errors
    /// [`Error::Unknown`] with near labels.
    pub fn class(&self, name: &str) -> Result<usize> {
        let number = name.parse().ok().filter(|c| *c < self.classes);
        let labelled = || self.labels.iter().position(|l| l.eq_ignore_ascii_case(name.trim()));
        number.or_else(labelled).ok_or_else(|| match name.parse::<usize>() {
            Ok(_) => {
                Error::Request(format!("there is no class {name}; the model's classes are 0 to {}", self.classes - 1))
            }
            Err(_) => Error::unknown("class", name, "gradcam models --labels", self.labels.iter().map(String::as_str)),
        })
    }
}

/// torchvision's `transform_input`, for GoogLeNet and Inception weights that came from TensorFlow: from ImageNet's
/// normalisation to one with mean and deviation 1/2.
fn transform_input(b: &mut Builder, x: NodeId) -> Result<NodeId> {
    let scale = [0.229, 0.224, 0.225].map(|std: f32| std / 0.5);
    let shift = [0.485, 0.456, 0.406].map(|mean: f32| (mean - 0.5) / 0.5);
    Ok(b.affine("transform_input", x, &scale, &shift)?)
}

/// Names of the models that need no file.
pub fn models() -> impl Iterator<Item = &'static str> {
    cfg!(feature = "bundled").then_some(BUNDLED).into_iter()
}

impl Preprocess {
    /// What the file's metadata says, and ImageNet's customs where it is silent.
    fn of(weights: &Weights, size: usize) -> Result<Self> {
        let entry = |key: &str| weights.metadata.get(key);
        let fail = |key: &str, value: &str| Error::Weights {
            what: weights.what().to_owned(),
            reason: format!("metadata '{key}' is {value:?}, which makes no sense"),
        };
        let rgb = |key: &str, default: [f32; 3], positive: bool| {
            let Some(value) = entry(key) else { return Ok(default) };
            let parsed: Option<[f32; 3]> = serde_json::from_str(value).ok();
            parsed
                .filter(|v| v.iter().all(|v| v.is_finite() && (!positive || *v > 0.0)))
                .ok_or_else(|| fail(key, value))
        };
        let size = match entry("input_size") {
            None => [size, size],
            Some(value) => match serde_json::from_str::<[usize; 3]>(value) {
                Ok([3, h @ 1..=4096, w @ 1..=4096]) => [h, w],
                _ => return Err(fail("input_size", value)),
            },
        };
        let crop_pct = match entry("crop_pct") {
            None => 0.875,
            Some(value) => {
                value.parse().ok().filter(|p| (0.1..=1.0).contains(p)).ok_or_else(|| fail("crop_pct", value))?
            }
        };
        let interpolation = match entry("interpolation").map(String::as_str) {
            None | Some("bilinear") => Interpolation::Bilinear,
            Some("bicubic") => Interpolation::Bicubic,
            Some(value) => return Err(fail("interpolation", value)),
        };
        let mean = rgb("mean", [0.485, 0.456, 0.406], false)?;
        let std = rgb("std", [0.229, 0.224, 0.225], true)?;
        Ok(Self { size, crop_pct, interpolation, mean, std })
    }
}
