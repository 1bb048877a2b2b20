//! Options that several commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use gradcam::gpu::Verdicts;
use gradcam::model::{CropMode, Labels};
use gradcam::{Backend, Device, Error, Gpu, GpuOptions, Method, Model, ModelOptions, Result};
use serde::de::DeserializeOwned;

use super::say::say;

#[derive(Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    /// The bundled model's name; a weights file (.safetensors, or of torch.save), or a network (.onnx); a folder with one
    #[arg(short, long, value_name = "NAME|PATH", default_value = gradcam::model::BUNDLED)]
    pub model: String,
    /// Architecture of the file, if it does not name its own; may have timm's or torchvision's tag of the weights, as in
    /// resnet50.a1_in1k, which says how photos are prepared
    #[arg(long, value_name = "NAME[.TAG]")]
    pub arch: Option<String>,
    /// What stands before the names of the network's tensors, where a file holds several networks
    #[arg(long, value_name = "NAME")]
    prefix: Option<String>,
    /// Refuse tensors outside the network instead of ignoring them
    #[arg(long)]
    strict: bool,
    /// Input of an ONNX file that takes the images, where it has several
    #[arg(long, value_name = "NAME")]
    input: Option<String>,
    /// Output of an ONNX file that holds the class scores, where it is not the first
    #[arg(long, value_name = "NAME")]
    score: Option<String>,
    /// Rows and columns of a transformer's patches, where an ONNX file does not tell them
    #[arg(long, value_name = "HxW", value_parser = sides)]
    grid: Option<[usize; 2]>,
    /// Part of what the network sees over which the scores of a segmentation in an ONNX file are averaged, 0 to 1 of its sides
    #[arg(long = "box", value_name = "LEFT,TOP,RIGHT,BOTTOM", value_parser = region)]
    region: Option<[f64; 4]>,
    /// Activation between the linear layers of a classifier of your own
    #[arg(long, value_name = "NAME", value_parser = words(&["relu", "relu6", "sigmoid", "silu", "hardswish", "gelu"]))]
    head_activation: Option<String>,
    /// Say what the network is, how photos are prepared, and who said so
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    preprocess: PreprocessArgs,
}

/// What the network's outputs mean.
#[derive(Args, Default)]
#[command(next_help_heading = "Model")]
pub struct ClassArgs {
    /// Names of the classes: a file with one a line, a JSON list, or a JSON map such as class_to_idx
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// What the class scores mean; softmax, or sigmoid for a single class, if neither this nor a config says
    #[arg(long, value_name = "KIND", value_parser = words(&["softmax", "sigmoid", "none"]))]
    scores: Option<String>,
}

/// Each option takes precedence over what the files and the library say.
#[derive(Args)]
#[command(next_help_heading = "Preprocessing")]
struct PreprocessArgs {
    /// Height and width of the network's input
    #[arg(long, value_name = "N|HxW", value_parser = sides)]
    size: Option<[usize; 2]>,
    /// What photos are resized to before the crop: the shorter side, or both
    #[arg(long, value_name = "N|HxW", value_parser = sides, conflicts_with = "crop_pct")]
    resize: Option<[usize; 2]>,
    /// Part of the resized photo's sides that the crop keeps, instead of --resize
    #[arg(long, value_name = "PART")]
    crop_pct: Option<f64>,
    /// How a photo of another aspect meets the input: cropped, squeezed, or with borders
    #[arg(long, value_name = "MODE", value_parser = words(&["center", "squash", "border"]), conflicts_with = "whole")]
    crop_mode: Option<String>,
    /// Explain the whole photo at its own aspect; its shorter side becomes that of the input
    #[arg(long)]
    whole: bool,
    /// Filter that resizes photos
    #[arg(long, value_name = "NAME",
        value_parser = words(&["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]))]
    interpolation: Option<String>,
    /// Mean of each channel, or of all, in 0..1
    #[arg(long, value_name = "M,M,M", value_delimiter = ',', allow_hyphen_values = true)]
    mean: Vec<f32>,
    /// Standard deviation of each channel, or of all, in 0..1
    #[arg(long, value_name = "S,S,S", value_delimiter = ',')]
    std: Vec<f32>,
    /// Whether the network converts from ImageNet's normalisation, as torchvision's trained GoogLeNet and Inception do
    #[arg(long, value_name = "BOOL")]
    transform_input: Option<bool>,
}

impl ModelArgs {
    /// The box over which scores are averaged.
    pub fn region(&self) -> Option<[f64; 4]> {
        self.region
    }

    /// Opens the model, and says on stderr what was assumed about it.
    pub fn open(&self) -> Result<Model> {
        self.open_with(&ClassArgs::default())
    }

    /// Opens the model with what is said about its classes.
    pub fn open_with(&self, classes: &ClassArgs) -> Result<Model> {
        let p = &self.preprocess;
        let o = ModelOptions::default().strict(self.strict);
        let o = self.arch.iter().fold(o, |o, name| o.architecture(name));
        let o = self.prefix.iter().fold(o, |o, prefix| o.prefix(prefix));
        let o = self.input.iter().fold(o, |o, name| o.input(name));
        let o = self.grid.iter().fold(o, |o, grid| o.grid(*grid));
        let o = self.region.iter().fold(o, |o, region| o.region(*region));
        let o = self.score.iter().fold(o, |o, name| o.score(name));
        let o = self.head_activation.iter().fold(o, |o, name| o.head_activation(named(name)));
        let o = match &classes.labels {
            Some(path) => o.labels(Labels::read(path)?),
            None => o,
        };
        let o = classes.scores.iter().fold(o, |o, name| o.scores(named(name)));
        let o = p.size.iter().fold(o, |o, size| o.size(*size));
        let o = p.resize.iter().fold(o, |o, size| o.resize(*size));
        let o = p.crop_pct.iter().fold(o, |o, part| o.crop_pct(*part));
        let o = p.crop_mode.iter().fold(o, |o, name| o.crop_mode(named(name)));
        let o = if p.whole { o.crop_mode(CropMode::Whole) } else { o };
        let o = p.interpolation.iter().fold(o, |o, name| o.interpolation(named(name)));
        let o = if p.mean.is_empty() { o } else { o.mean(&p.mean) };
        let o = if p.std.is_empty() { o } else { o.std(&p.std) };
        let o = p.transform_input.iter().fold(o, |o, transform| o.transform_input(*transform));
        let model = Model::open(&self.model, &o)?;
        if self.verbose {
            say(&format!("{}: {}", model.name(), model.description()));
        }
        model.remarks().iter().for_each(|remark| say(&format!("{}: {remark}", model.name())));
        Ok(model)
    }
}

/// One of these words.
pub fn words(words: &'static [&'static str]) -> PossibleValuesParser {
    PossibleValuesParser::new(words)
}

/// The value that a word names, as in a weights file's metadata.
pub fn named<T: DeserializeOwned>(word: &str) -> T {
    serde_json::from_value(word.into()).expect("the parser takes only words of this type")
}

/// A height and a width: one number for both, or two as in `224x320`.
pub fn sides(text: &str) -> Result<[usize; 2], String> {
    let (height, width) = text.split_once(['x', 'X', '×']).unwrap_or((text, text));
    let side = |text: &str| text.parse().ok().filter(|side| (1..=4096).contains(side));
    side(height).zip(side(width)).map(|(h, w)| [h, w]).ok_or_else(|| "not N or HxW, of 1 to 4096".into())
}

/// A box: left, top, right and bottom.
fn region(text: &str) -> Result<[f64; 4], String> {
    let sides: Option<Vec<f64>> = text.split(',').map(|side| side.trim().parse().ok()).collect();
    let sides = sides.and_then(|sides| <[f64; 4]>::try_from(sides).ok());
    let is_box = |[left, top, right, bottom]: &[f64; 4]| {
        0.0 <= *left && left < right && *right <= 1.0 && 0.0 <= *top && top < bottom && *bottom <= 1.0
    };
    sides.filter(is_box).ok_or_else(|| "not left < right and top < bottom of 0 to 1, as in 0.2,0.1,0.8,0.5".into())
}

#[derive(Args)]
pub struct DeviceArgs {
    /// A number or a part of a name from `gradcam devices`, or "cpu" for plain loops without any driver
    #[arg(short, long, value_name = "NAME|INDEX|cpu")]
    pub device: Option<String>,
    /// Use only this graphics API
    #[arg(long, value_enum, env = BACKEND, hide_env_values = true, ignore_case = true)]
    pub backend: Option<BackendArg>,
    /// Kernel variant: "buffers" and "buffers-shared" suit GPUs, "textures" suits drivers on a CPU; if not given, the
    /// best one by a short measurement on the device
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// How weights are stored on the device; "f16" also rounds the operands of large products, on GPUs that compute in
    /// f16. All sums are f32
    #[arg(long, value_enum, default_value = "f32")]
    pub precision: Precision,
    /// How long to wait for the device before it counts as hanging; two minutes if not given
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<Duration>,
}

pub fn seconds(text: &str) -> Result<Duration, String> {
    let duration = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.filter(|d| !d.is_zero()).ok_or_else(|| "not a number of seconds above 0".into())
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    F32,
    F16Weights,
    F16,
}

impl Precision {
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16Weights => "f16-weights",
            Self::F16 => "f16",
        }
    }
}

/// Names the graphics API for every program on wgpu.
pub const BACKEND: &str = "WGPU_BACKEND";

#[derive(Clone, Copy, ValueEnum)]
pub enum BackendArg {
    #[value(alias = "vk")]
    Vulkan,
    #[value(alias = "mtl")]
    Metal,
    #[value(alias = "d3d12")]
    Dx12,
    #[value(aliases = ["opengl", "gles"])]
    Gl,
}

impl From<BackendArg> for Backend {
    fn from(backend: BackendArg) -> Self {
        match backend {
            BackendArg::Vulkan => Self::Vulkan,
            BackendArg::Metal => Self::Metal,
            BackendArg::Dx12 => Self::Dx12,
            BackendArg::Gl => Self::Gl,
        }
    }
}

impl DeviceArgs {
    /// The options to open the GPU with.
    pub fn options(&self) -> Result<GpuOptions> {
        let options = GpuOptions::default()
            .backend(self.backend.map(Backend::from))
            .half_weights(self.precision != Precision::F32)
            .half_products(self.precision == Precision::F16)
            .timeout(self.timeout)
            .measured(Verdicts::remembered());
        let options = self.device.iter().fold(options, |options, name| options.adapter(name));
        self.variant.iter().try_fold(options, |options, name| options.variant(name))
    }

    pub fn open(&self) -> Result<Device> {
        Ok(self.gpu()?.map_or(Device::Cpu, Device::from))
    }

    /// Opens the GPU. `None` for `--device cpu`.
    pub fn gpu(&self) -> Result<Option<Gpu>> {
        if self.device.as_deref() == Some("cpu") {
            if self.precision != Precision::F32 || self.variant.is_some() {
                let reason = "--precision and --variant are for graphics devices; leave them or --device cpu out";
                return Err(Error::Request(reason.into()));
            }
            return Ok(None);
        }
        let options = self.options()?;
        let gpu = pollster::block_on(Gpu::open(&options))?;
        remember(&gpu, &options.measured);
        Ok(Some(gpu))
    }
}

/// Keeps what was measured on a device, or says why it cannot be kept.
pub fn remember(gpu: &Gpu, known: &Verdicts) {
    if let Err(error) = gpu.remember(known) {
        say(&error.to_string());
    }
}

/// The help of `--method`.
pub fn methods() -> String {
    let names: Vec<&str> = Method::ALL.iter().map(|method| method.name()).collect();
    format!("How activations and gradients become a map; may be given several times: {}", names.join(", "))
}

/// Each value once, in the order of first occurrence.
pub fn unique<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut once: Vec<T> = vec![];
    for value in values {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    once
}
