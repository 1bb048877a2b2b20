//! Opens models: tensors, with what the options, the files and the library say of them.

use std::path::Path;
use std::sync::Arc;

use super::blueprint::Blueprint;
use super::config::Config;
use super::facts::{Facts, Origin};
use super::listed::Listed;
use super::onnx::Imported;
use super::recognise::{Recognised, recognise};
use super::weights::{self, Content, Tensor, Weights, fail};
use super::zoo::Library;
use super::zoo::transforms::{self, Transform};
use super::{BUNDLED, Labels, Model, ModelOptions, Origins, Preprocess, Scores, Sources, follow};
use crate::error::{Error, Result};
use crate::memory::{self, Share};

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
        let weights = super::bundled::weights().unwrap_or_default();
        Self::new(weights::parse(BUNDLED, &weights)?, None, options)
    }

    /// The bundled model by its name, or the model of a weights file: safetensors or of `torch.save`, in one part or
    /// several, or a folder that holds one.
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
        if path.extension().is_none() && !path.exists() && !name.contains('/') {
            return Err(Error::unknown("model", name, "gradcam models", models()));
        }
        match weights::open(path)? {
            (Content::Weights(weights), folder) => Self::new(weights, Some(&folder), options),
            (Content::Onnx(what, bytes), folder) => Self::imported(&what, &bytes, Some(&folder), options),
        }
    }

    /// The model of a weights file's bytes; `what` names it in errors.
    ///
    /// # Errors
    /// [`Error::Weights`] if the file is damaged, does not fit the architecture, or the architecture does not exist.
    pub fn parse(what: &str, bytes: &[u8], options: &ModelOptions) -> Result<Self> {
        if weights::is_onnx(bytes) {
            return Self::imported(what, bytes, None, options);
        }
        Self::new(weights::parse(what, bytes)?, None, options)
    }

    /// The model of an ONNX file's bytes, with what the files in `folder` say of it.
    fn imported(what: &str, bytes: &[u8], folder: Option<&Path>, options: &ModelOptions) -> Result<Self> {
        if options.architecture.is_some() {
            return Err(fail(what, "holds its own network; name no architecture".into()));
        }
        let _room = memory::take(what, 2 * bytes.len() as u64)?;
        let mut facts = options.facts();
        let mut config = Config::read(&options.beside, folder, &mut facts);
        let (network, own) = Imported::open(what, bytes, folder, options, &mut facts)?;
        let remark = network.remark();
        let labels = match &options.labels {
            Some(labels) => (Labels::new(labels.clone()), Origin::Option),
            None if !own.is_empty() => (own, Origin::File),
            None => (std::mem::take(&mut config.labels), Origin::Config),
        };
        let mut model = Self::of(Arc::new(network), what.to_owned(), &facts, Origin::File, labels)?;
        model.remarks.splice(0..0, config.remarks.into_iter().chain(remark));
        model.remarks.extend(model.assumed_of_photos("is usual"));
        Ok(model)
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
        if options.region.is_some() {
            return Err(Error::Request(format!("{what}: its scores have no rows and columns; leave --box out")));
        }
        let mut facts = options.facts();
        facts.note_metadata(&weights.metadata);
        let config = Config::read(&options.beside, folder, &mut facts);
        let named = Named::of(options, &facts);
        let ending = follow::ending(&what, &facts)?;
        let mut network =
            recognise(&weights, named.name.as_deref().map(|name| (name, named.library)), &ending, options)?;
        follow::need(&what, &facts, &network.needs)?;
        if ending.output_stride.is_some() && !network.architecture.dilates {
            let reason = format!("{} has no dilated form: output_stride is not supported", network.architecture.name);
            return Err(fail(&what, reason));
        }
        let mut remarks = config.remarks;
        remarks.append(&mut network.remarks);
        let usual = named.transform(&what, &facts, &network)?;
        let as_library = usual.as_ref().map_or_else(
            || "is usual".into(),
            |usual| format!("{} does for its weights {}", network.architecture.library, usual.tag),
        );
        note_usual(&mut facts, usual, &network);
        let transform_input = transform_input(&what, &facts, &network, &mut remarks)?;

        let architecture = network.architecture;
        let blueprint = Arc::new(Listed::new(network, transform_input));
        let labels = match &options.labels {
            Some(labels) => (Labels::new(labels.clone()), Origin::Option),
            None => (config.labels, Origin::Config),
        };
        let mut model = Self::of(blueprint, what, &facts, named.by, labels)?;
        model.remarks.splice(0..0, remarks);
        let mut taken = vec![];
        if named.by == Origin::Tensors {
            let twins = architecture.twins.join(" nor ");
            let twins = if twins.is_empty() { twins } else { format!(", not for {twins}, which has the same tensors") };
            taken.push(format!("taken for {}'s {}{twins}", architecture.library, architecture.name));
        }
        taken.extend(model.assumed_of_photos(&as_library));
        if !taken.is_empty() {
            model.remarks.push(taken.join("; "));
        }
        Ok(model)
    }

    /// What was assumed of how photos are prepared, if anything was: as `usual`.
    fn assumed_of_photos(&self, usual: &str) -> Option<String> {
        let Origins { size, resize, interpolation, mean, std, .. } = self.from.preprocess;
        let is_known = [size, resize, interpolation, mean, std].iter().all(|origin| origin.is_known());
        (!is_known).then(|| {
            format!(
                "how photos were prepared is not said in full, so as {usual}: {}; \
                 --size, --resize, --crop-mode, --interpolation, --mean and --std change it",
                self.preprocess
            )
        })
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
                    let guess = "the names of its 1000 classes are guessed to be ImageNet's; --labels names them";
                    remarks.push(guess.into());
                }
                (Labels::imagenet(), Origin::Assumed)
            }
            _ => (Labels::default(), Origin::Assumed),
        };
        let provenance = facts.text("provenance").map(str::to_owned);
        let from = Sources { architecture: by, preprocess: of_photos, scores: of_scores, labels: labels_by };
        let weights: usize = blueprint.tensors().iter().map(|(_, _, numbers)| size_of_val(&numbers[..])).sum();
        let _share = Arc::new(Share::of(weights as u64));
        Ok(Self { blueprint, name: what, provenance, preprocess, scores, labels, from, remarks, _share })
    }
}

/// The architecture's name, and the tag of its weights, as in `timm/resnet18.a1_in1k`.
struct Named {
    name: Option<String>,
    /// The library whose modules are meant, where both have the network with the same tensors.
    library: Option<Library>,
    tag: Option<String>,
    by: Origin,
}

impl Named {
    fn of(options: &ModelOptions, facts: &Facts) -> Self {
        let option = options.architecture.as_deref().map(|name| (name, Origin::Option));
        let written = facts.get("architecture").and_then(|(name, by)| Some((name.as_str()?, by)));
        let Some((name, by)) = option.or(written) else {
            return Self { name: None, library: None, tag: None, by: Origin::Tensors };
        };
        let (place, name) = name.rsplit_once('/').unwrap_or(("", name));
        let (name, tag) = name.split_once('.').map_or((name, None), |(name, tag)| (name, Some(tag)));
        let library = match place.rsplit(['/', ':']).next() {
            Some("timm") => Some(Library::Timm),
            Some("torchvision") => Some(Library::Torchvision),
            _ => tag.and_then(|tag| transforms::library(name, tag)),
        };
        let library = library.or(if by == Origin::Config { Some(Library::Timm) } else { None });
        Self { name: Some(name.to_owned()), library, tag: tag.map(str::to_owned), by }
    }

    /// How the library prepares photos for the weights of the tag, or else of its default one.
    fn transform(&self, what: &str, facts: &Facts, network: &Recognised) -> Result<Option<Transform>> {
        let architecture = network.architecture;
        let tagged =
            self.tag.as_deref().or(facts.text("tag")).map(|tag| (tag, transforms::of(architecture, Some(tag))));
        match tagged {
            Some((_, Some(transform))) => Ok(Some(transform)),
            // Others may have tags of their own in their files.
            Some((tag, None)) if self.by == Origin::Option && self.tag.is_some() => {
                let tags = transforms::tags(architecture.name);
                Err(fail(what, Error::unknown("tag", tag, "timm.list_pretrained", tags).to_string()))
            }
            _ => Ok(transforms::of(architecture, None)),
        }
    }
}

/// Notes what is usual for an architecture's weights.
fn note_usual(facts: &mut Facts, usual: Option<Transform>, network: &Recognised) {
    for (name, value) in usual.into_iter().flat_map(|usual| usual.facts) {
        // A mean of three colours is none of another number of channels.
        let of_colours = network.channels == 3 || !matches!(name, "mean" | "std" | "transform_input");
        // Of the library's builders only those of its own trained weights turn this on.
        if of_colours && (name != "transform_input" || network.classes == 1000) {
            facts.note(name, value, Origin::Library);
        }
    }
}

/// Whether the network converts its input. It is assumed for torchvision's own weights only.
fn transform_input(what: &str, facts: &Facts, network: &Recognised, remarks: &mut Vec<String>) -> Result<bool> {
    let known = facts.read(what, "transform_input", "true or false is needed", serde_json::Value::as_bool)?;
    let usual = transforms::of(network.architecture, None);
    let matters = usual.is_some_and(|usual| usual.facts.iter().any(|(name, _)| *name == "transform_input"));
    let (on, remark) = match known {
        Some((on, by)) if !matters || by != Origin::Library => return Ok(on),
        None if !matters => return Ok(false),
        Some(_) => (true, "transform_input is assumed to be on, as for torchvision's own weights"),
        None => {
            (false, "transform_input is assumed to be off; if these were torchvision's weights, --transform-input true")
        }
    };
    remarks.push(remark.into());
    Ok(on)
}

/// Names of the models that are available without a file.
pub fn models() -> impl Iterator<Item = &'static str> {
    cfg!(feature = "bundled").then_some(BUNDLED).into_iter()
}
