//! Requests as JSON. `gradcam/model.py` writes them, and says what each field means.

use gradcam::model::{CropMode, Interpolation, Labels, Scores};
use gradcam::{
    Classes, Compat, Error, Explainer, Method, Model, ModelOptions, Normalise, Outputs, Result, Sampling, Score,
    Smoothing, Target,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What is said of a model.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRequest {
    arch: Option<String>,
    prefix: Option<String>,
    strict: Option<bool>,
    input: Option<String>,
    score: Option<String>,
    grid: Option<[usize; 2]>,
    #[serde(rename = "box")]
    region: Option<[f64; 4]>,
    head_activation: Option<gradcam::model::Activation>,
    labels: Option<Names>,
    scores: Option<Scores>,
    size: Option<[usize; 2]>,
    resize: Option<[usize; 2]>,
    crop_pct: Option<f64>,
    crop_mode: Option<CropMode>,
    interpolation: Option<Interpolation>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
    transform_input: Option<bool>,
    /// Names and texts of files that belong to the weights.
    #[serde(default)]
    beside: Vec<(String, String)>,
}

/// Names of classes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    File(std::path::PathBuf),
    All(Vec<String>),
}

impl ModelRequest {
    pub fn options(self) -> Result<ModelOptions> {
        /// Sets what is given.
        fn set<T>(
            options: ModelOptions,
            value: Option<T>,
            set: impl FnOnce(ModelOptions, T) -> ModelOptions,
        ) -> ModelOptions {
            match value {
                Some(value) => set(options, value),
                None => options,
            }
        }
        let labels = match self.labels {
            Some(Names::File(path)) => Some(Labels::read(&path)?),
            Some(Names::All(names)) => Some(names),
            None => None,
        };
        let o = ModelOptions::default();
        let o = set(o, self.arch, ModelOptions::architecture);
        let o = set(o, self.prefix, ModelOptions::prefix);
        let o = set(o, self.strict, ModelOptions::strict);
        let o = set(o, self.input, ModelOptions::input);
        let o = set(o, self.score, ModelOptions::score);
        let o = set(o, self.grid, ModelOptions::grid);
        let o = set(o, self.region, ModelOptions::region);
        let o = set(o, self.head_activation, ModelOptions::head_activation);
        let o = set(o, labels, ModelOptions::labels);
        let o = set(o, self.scores, ModelOptions::scores);
        let o = set(o, self.size, ModelOptions::size);
        let o = set(o, self.resize, ModelOptions::resize);
        let o = set(o, self.crop_pct, ModelOptions::crop_pct);
        let o = set(o, self.crop_mode, ModelOptions::crop_mode);
        let o = set(o, self.interpolation, ModelOptions::interpolation);
        let o = set(o, self.mean, |o, mean| o.mean(&mean));
        let o = set(o, self.std, |o, std| o.std(&std));
        let o = set(o, self.transform_input, ModelOptions::transform_input);
        Ok(self.beside.into_iter().fold(o, |o, (name, text)| o.beside(name, text)))
    }
}

/// A class.
#[derive(Deserialize)]
#[serde(untagged)]
enum Class {
    Number(usize),
    Name(String),
}

impl Class {
    fn of(&self, model: &Model) -> Result<usize> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Name(name) => model.class(name),
        }
    }
}

/// The classes to explain.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Targets {
    /// So many of the most probable ones.
    Top(usize),
    /// Of each image.
    Each(Vec<Vec<Class>>),
}

/// What to explain, and how.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    targets: Targets,
    layers: Option<Vec<String>>,
    methods: Vec<String>,
    score: Score,
    negative: bool,
    together_with: Vec<Class>,
    against: Vec<Class>,
    tap: Tap,
    normalise: Normalise,
    compat: Compat,
    samples: Option<usize>,
    noise: Option<f32>,
    seed: u32,
    channels: Option<usize>,
    patch: Option<usize>,
    aug_smooth: bool,
    eigen_smooth: bool,
    predictions: usize,
    embedding: bool,
    /// Images that pass at once.
    pub batch_size: usize,
    /// Whether an image that cannot be read ends all, or stands with its exception in its place.
    pub skip: bool,
}

/// Where a layer that ends in an activation is looked at.
#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Tap {
    Pre,
    Post,
}

impl Request {
    /// Makes the explainer explain in this way. Plans are kept where nothing changes.
    pub fn apply(&self, explainer: &mut Explainer, similar_to: Option<&[f32]>) -> Result<()> {
        if let Some(noise) = self.noise.filter(|noise| !noise.is_finite() || *noise < 0.0) {
            return Err(Error::Request(format!("noise is {noise}, not a part of the image's range")));
        }
        let usual = vec![explainer.model().default_layer().to_owned()];
        let layers = self.layers.as_ref().unwrap_or(&usual);
        if explainer.layers() != layers {
            explainer.set_layers(&layers.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        let methods = self.methods.iter().map(|name| name.parse()).collect::<Result<Vec<Method>>>()?;
        explainer.set_methods(&methods);
        let classes = |classes: &[Class]| classes.iter().map(|c| c.of(explainer.model())).collect::<Result<Vec<_>>>();
        let (with, against) = (classes(&self.together_with)?, classes(&self.against)?);
        explainer.set_target(Target::default().score(self.score).negative(self.negative).with(&with).against(&against));
        explainer.set_normalise(self.normalise);
        let sampling = Sampling::default().samples(self.samples).seed(self.seed);
        let sampling = self.noise.map_or(sampling, |noise| sampling.noise(noise));
        explainer.set_sampling(sampling.channels(self.channels).patch(self.patch));
        explainer.set_similar_to(similar_to);
        explainer.set_smoothing(Smoothing::default().augmented(self.aug_smooth).eigen(self.eigen_smooth));
        explainer.set_compat(self.compat);
        explainer.set_before_activation(self.tap == Tap::Pre);
        Ok(())
    }

    /// The classes of all images.
    pub fn classes(&self, model: &Model) -> Result<Classes> {
        let of_image = |classes: &Vec<Class>| classes.iter().map(|class| class.of(model)).collect();
        Ok(match &self.targets {
            Targets::Top(count) => Classes::Top(*count),
            Targets::Each(each) => Classes::PerImage(each.iter().map(of_image).collect::<Result<_>>()?),
        })
    }

    /// What to read back.
    pub fn outputs(&self) -> Outputs {
        let outputs = Outputs::default().predictions(self.predictions).logits(true).heatmap(true);
        outputs.raw(true).embedding(self.embedding)
    }
}

/// Reads a request.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::Request(format!("the request cannot be read: {e}")))
}
