//! Requests as JSON, see `gradcam.d.ts`.

use gradcam::gpu::Verdicts;
use gradcam::{Classes, Error, Explainer, Model, ModelOptions, Normalise, Outputs, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How to open the device.
#[derive(Deserialize)]
pub struct OpenRequest {
    pub variant: Option<String>,
    #[serde(default)]
    pub half_weights: bool,
    /// Earlier measurements of devices.
    #[serde(default)]
    pub verdicts: Verdicts,
}

/// What is said of a model.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRequest {
    architecture: Option<String>,
    labels: Option<Vec<String>>,
    /// Names and texts of files that belong to the weights.
    #[serde(default)]
    beside: Vec<(String, String)>,
}

impl ModelRequest {
    pub fn options(self) -> ModelOptions {
        let mut options = ModelOptions::default();
        if let Some(architecture) = self.architecture {
            options = options.architecture(architecture);
        }
        if let Some(labels) = self.labels {
            options = options.labels(labels);
        }
        self.beside.into_iter().fold(options, |options, (name, text)| options.beside(name, text))
    }
}

/// Colours of an overlay.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Style {
    alpha: Option<f32>,
    colormap: Option<String>,
}

impl Style {
    pub fn style(&self) -> Result<gradcam::Style> {
        let mut style = gradcam::Style::default();
        if let Some(alpha) = self.alpha {
            if !(0.0..=1.0).contains(&alpha) {
                return Err(Error::Request(format!("alpha is {alpha}; it lies between 0 and 1")));
            }
            style = style.alpha(alpha);
        }
        match &self.colormap {
            Some(name) => Ok(style.colormap(name.parse()?)),
            None => Ok(style),
        }
    }
}

/// A class.
#[derive(Deserialize)]
#[serde(untagged)]
enum Class {
    Number(usize),
    Name(String),
}

/// What to explain, and how.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    classes: Option<Vec<Class>>,
    top: Option<usize>,
    predictions: Option<usize>,
    layers: Option<Vec<String>>,
    methods: Option<Vec<String>>,
    #[serde(default)]
    signed: bool,
    #[serde(default)]
    style: Style,
    #[serde(default)]
    tensors: bool,
}

impl Request {
    /// Makes the explainer explain in this way. Plans are kept where nothing changes.
    pub fn apply(&self, explainer: &mut Explainer) -> Result<()> {
        let usual = vec![explainer.model().default_layer().to_owned()];
        let layers = self.layers.as_ref().unwrap_or(&usual);
        if explainer.layers() != layers {
            explainer.set_layers(&layers.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        let methods = self.methods.iter().flatten().map(|name| name.parse()).collect::<Result<Vec<_>>>()?;
        explainer.set_methods(&methods);
        explainer.set_normalise(if self.signed { Normalise::Signed } else { Normalise::default() });
        Ok(())
    }

    /// The classes to explain.
    pub fn classes(&self, model: &Model) -> Result<Classes> {
        let Some(classes) = &self.classes else { return Ok(Classes::Top(self.top.unwrap_or(1))) };
        let number = |class: &Class| match class {
            Class::Number(number) => Ok(*number),
            Class::Name(name) => model.class(name),
        };
        Ok(Classes::Chosen(classes.iter().map(number).collect::<Result<_>>()?))
    }

    /// What to read back.
    pub fn outputs(&self) -> Result<Outputs> {
        let outputs = Outputs::default().predictions(self.predictions.unwrap_or(5)).overlay(self.style.style()?);
        Ok(outputs.logits(self.tensors).raw(self.tensors).heatmap(self.tensors))
    }
}

/// Reads a request.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::Request(format!("the request cannot be read: {e}")))
}
