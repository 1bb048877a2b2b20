//! How photos are explained: methods, what is explained of a class, and how a map is made of it.

use std::path::PathBuf;

use clap::Args;
use gradcam::picture::Window;
use gradcam::{
    Classes, Colormap, Compat, Error, Explainer, Images, Method, Model, Normalise, Outputs, Photo, Result, Sampling,
    Smoothing, Target,
};
use serde_json::{Map, Value, json};

use crate::cli::args::{methods, named, unique, words};
use crate::cli::say::say;

#[derive(Args)]
pub struct HowArgs {
    #[arg(long, value_name = "NAME", default_value = Method::default().name(), help = methods())]
    method: Vec<Method>,
    /// Layer to explain at, see `gradcam layers`; the last feature map if not given. The maps of several layers are
    /// fused by the mean
    #[arg(short, long, value_name = "PATH")]
    layer: Vec<String>,
    /// Whether a layer that ends in an activation is looked at before it or after it
    #[arg(long, value_name = "pre|post", default_value = "post", hide_possible_values = true)]
    #[arg(value_parser = words(&["pre", "post"]))]
    tap: String,
    /// Number of the class whose gradient is taken
    #[arg(long, value_name = "SCORE", value_parser = words(&["logit", "probability", "log-probability", "rest"]))]
    #[arg(default_value = "logit")]
    target: String,
    /// Show what speaks against the class
    #[arg(long)]
    negative: bool,
    /// Show the class and this one together, by the mean of their scores; number or label; may be given several times
    #[arg(long, value_name = "ID|LABEL", allow_hyphen_values = true)]
    with: Vec<String>,
    /// Show what tells the class from this one, by number or label; may be given several times
    #[arg(long, value_name = "ID|LABEL", allow_hyphen_values = true)]
    against: Vec<String>,
    /// Show what makes the photos similar to this one, instead of a class
    #[arg(long, value_name = "PHOTO", conflicts_with_all = ["class", "top", "target", "negative", "with", "against"])]
    similar_to: Option<PathBuf>,
    /// Images that a method averages over: 50 steps of a path, 25 samples of noise or 1000 random masks, if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    samples: Option<u32>,
    /// Standard deviation of the noise, as a part of the image's range; 0.15 if not given
    #[arg(long, value_name = "PART")]
    noise: Option<f32>,
    /// Other noise and other masks for another seed; 0 if not given
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Let scorecam and ablationcam try only the N channels whose values differ most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    channels: Option<u32>,
    /// Side of the squares of occlusion, in pixels of the input; an eighth of its longer side if not given
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(1..))]
    patch: Option<u32>,
    /// Average the maps of the image, of a darker and a brighter one, and of all three mirrored
    #[arg(long)]
    aug_smooth: bool,
    /// Take the first principal component of a layer's channels where a method takes their sum
    #[arg(long)]
    eigen_smooth: bool,
    /// What is drawn of a map: what speaks for the class, between its least and greatest value (minmax), as a part of the
    /// greatest (max) or of what 99 of 100 values do not exceed (percentile); or also what speaks against it (signed). With
    /// none, --save-tensors has the raw values
    #[arg(long, value_name = "minmax|max|percentile|signed|none", hide_possible_values = true)]
    #[arg(default_value = "minmax", conflicts_with = "compat", value_parser = words(&["minmax", "max", "percentile", "signed", "none"]))]
    normalise: String,
    /// Make the map of raw values, and the overlay, as another library does
    #[arg(long, value_name = "pytorch-grad-cam|torchcam|captum|tf-keras-vis", hide_possible_values = true)]
    #[arg(value_parser = words(&["pytorch-grad-cam", "torchcam", "captum", "tf-keras-vis"]))]
    compat: Option<String>,
}

impl HowArgs {
    /// The methods, each once.
    pub fn methods(&self) -> Result<Vec<Method>> {
        use Method::*;
        if let Some(noise) = self.noise.filter(|noise| !noise.is_finite() || *noise < 0.0) {
            return Err(Error::Request(format!("--noise is {noise}, not a part of the image's range")));
        }
        let methods = unique(self.method.iter().copied());
        let noisy = [SmoothGradCamPlusPlus, SmoothGrad, SmoothGradSquared, VarGrad];
        let random = [&noisy[..], &[Rise]].concat();
        let sampled = [&random[..], &[IntegratedGradients]].concat();
        for (option, is_given, of) in [
            ("--samples", self.samples.is_some(), &sampled[..]),
            ("--noise", self.noise.is_some(), &noisy),
            ("--seed", self.seed.is_some(), &random),
            ("--channels", self.channels.is_some(), &[ScoreCam, AblationCam]),
            ("--patch", self.patch.is_some(), &[Occlusion]),
        ] {
            if is_given && !methods.iter().any(|method| of.contains(method)) {
                let of: Vec<&str> = of.iter().map(|method| method.name()).collect();
                return Err(Error::Request(format!("{option} is for {}; leave it out", of.join(", "))));
            }
        }
        if !self.layer.is_empty() && methods.iter().all(|method| method.is_of_pixels()) {
            return Err(Error::Request(format!("{} looks at the pixels; leave --layer out", methods[0].name())));
        }
        Ok(methods)
    }

    fn normalise(&self) -> Normalise {
        named(&self.normalise)
    }

    fn compat(&self) -> Compat {
        self.compat.as_deref().map(named).unwrap_or_default()
    }

    fn smoothing(&self) -> Smoothing {
        Smoothing::default().augmented(self.aug_smooth).eigen(self.eigen_smooth)
    }

    /// The usual colours of such maps, and their opacity.
    pub fn usual_style(&self) -> (Colormap, f32) {
        let colormap = if self.normalise().is_signed() { Colormap::Bwr } else { Colormap::Jet };
        // TorchCAM's 0.7 is the opacity of the photo.
        (colormap, if self.compat() == Compat::TorchCam { 0.3 } else { 0.5 })
    }

    pub fn target(&self, model: &Model) -> Result<Target> {
        let classes = |names: &[String]| names.iter().map(|class| model.class(class)).collect::<Result<Vec<_>>>();
        let (with, against) = (classes(&self.with)?, classes(&self.against)?);
        Ok(Target::default().score(named(&self.target)).negative(self.negative).with(&with).against(&against))
    }

    /// An explainer that explains in this way.
    pub fn explainer(&self, model: Model, target: Target) -> Result<Explainer> {
        let number = |number: Option<u32>| number.map(|number| number as usize);
        let sampling = Sampling::default().samples(number(self.samples)).seed(self.seed.unwrap_or_default());
        let sampling = self.noise.map_or(sampling, |noise| sampling.noise(noise));
        let explainer = Explainer::new(model, gradcam::Device::Cpu)
            .with_methods(&self.methods()?)
            .with_target(target)
            .with_normalise(self.normalise())
            .with_sampling(sampling.channels(number(self.channels)).patch(number(self.patch)))
            .with_smoothing(self.smoothing())
            .with_compat(self.compat())
            .with_before_activation(self.tap == "pre");
        let layers: Vec<&str> = self.layer.iter().map(String::as_str).collect();
        if layers.is_empty() { Ok(explainer) } else { explainer.with_layers(&layers) }
    }

    /// The same explainer, explaining what makes photos similar to another one, if that is asked for.
    pub fn similar(&self, mut explainer: Explainer, window: Window) -> Result<Explainer> {
        let Some(path) = &self.similar_to else { return Ok(explainer) };
        let photo = Photo::open_with(path, window)?;
        let outputs = Outputs::default().embedding(true);
        // The cheapest method, because only the embedding is wanted.
        let methods = explainer.methods().to_vec();
        explainer.set_methods(&[Method::GradCam]);
        let batch = explainer.explain(Images::Photos(&[photo]), &Classes::Top(1), &outputs)?;
        explainer.set_methods(&methods);
        let embedding = batch.explanations.into_iter().next().and_then(|explanation| explanation.embedding);
        Ok(explainer.with_similar_to(embedding.as_deref()))
    }

    /// Says which methods do not look at the class, if several classes are asked for.
    pub fn remark(&self, methods: &[Method], classes: &Classes) {
        let several = match classes {
            Classes::Top(count) => *count > 1,
            Classes::Chosen(chosen) => chosen.len() > 1,
            _ => false,
        };
        for method in methods.iter().filter(|method| several && !method.is_of_class()) {
            say(&format!("{} shows the same for all classes", method.name()));
        }
    }

    /// What is explained of a class besides its score, in words: nothing, if nothing else is.
    fn what(&self) -> Option<&'static str> {
        match (self.negative, self.with.is_empty(), self.against.is_empty()) {
            (false, true, true) => None,
            (true, true, true) => Some("negative"),
            (false, false, true) => Some("with others"),
            (false, true, false) => Some("in contrast"),
            _ => Some("with and against others"),
        }
    }

    /// How it is explained, for results.
    pub fn about(&self, methods: &[Method], target: &Target) -> Map<String, Value> {
        let mut about = Map::new();
        about.insert("methods".into(), methods.iter().map(|method| method.name()).collect());
        about.insert("target".into(), json!(target));
        if self.smoothing() != Smoothing::default() {
            about.insert("smoothing".into(), json!(self.smoothing()));
        }
        let similar_to = self.similar_to.as_ref().map(|path| json!(path.to_string_lossy()));
        about.extend(similar_to.map(|path| ("similar_to".to_owned(), path)));
        about.extend(self.what().map(|what| ("what".to_owned(), json!(what))));
        about.extend(self.compat.as_deref().map(|compat| ("compat".to_owned(), json!(compat))));
        about
    }
}
