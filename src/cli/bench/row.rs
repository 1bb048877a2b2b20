//! Measured configurations and their results: the rows of `--json`, which `--compare` reads.

use gradcam::LayerTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Identifies a row. Rows of different runs with equal keys are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub model: String,
    pub method: String,
    pub layer: String,
    pub height: usize,
    pub width: usize,
    pub batch: usize,
    pub precision: String,
    pub backend: String,
    pub adapter: String,
    pub variant: String,
}

impl Key {
    /// The key as text.
    pub fn told(&self) -> String {
        let Self { model, method, layer, height, width, batch, precision, backend, adapter, variant } = self;
        let what = format!("{model}, {layer}, {method}, {height}×{width}, batch {batch}");
        format!("{what}, {precision}, {adapter}, {backend}, {variant}")
    }
}

/// A configuration with its figures, or with the error that prevented them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Value")]
pub struct Row {
    #[serde(flatten)]
    pub key: Key,
    pub driver: String,
    /// Whether the adapter runs on the CPU.
    pub software: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(flatten)]
    pub figures: Option<Figures>,
}

impl TryFrom<Value> for Row {
    type Error = serde_json::Error;

    fn try_from(row: Value) -> Result<Self, Self::Error> {
        let error = Option::deserialize(&row["error"])?;
        Ok(Self {
            key: Key::deserialize(&row)?,
            driver: String::deserialize(&row["driver"])?,
            software: bool::deserialize(&row["software"])?,
            figures: if error.is_none() { Some(Figures::deserialize(&row)?) } else { None },
            error,
        })
    }
}

/// The measurements. Fields that older files lack are zero or absent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    pub images_per_second: f64,
    /// Wall time from the submission to the mapped result: the median of the runs.
    pub ms_per_image: f64,
    /// The 25th and 75th percentiles of the runs.
    #[serde(default)]
    pub ms_per_image_p25: f64,
    #[serde(default)]
    pub ms_per_image_p75: f64,
    /// The same for CPU time, summed over all cores.
    pub cpu_ms_per_image: f64,
    #[serde(default)]
    pub cpu_ms_per_image_p25: f64,
    #[serde(default)]
    pub cpu_ms_per_image_p75: f64,
    /// Numbers of measured runs and of the unmeasured ones before them.
    #[serde(default)]
    pub runs: usize,
    #[serde(default)]
    pub warmup_runs: usize,
    /// The first run of the whole batch, including everything that happens only once.
    pub first_run_ms: f64,
    pub submissions: u32,
    pub readbacks: u32,
    pub readback_bytes: u64,
    pub gpu_bytes: u64,
    /// Multiply-adds of an image, forward and backward, by definition and whatever the algorithm.
    #[serde(default)]
    pub multiply_adds: u64,
    #[serde(default)]
    pub gflops: f64,
    /// The device's peak rate of multiply-adds in registers, without memory accesses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_gflops: Option<f64>,
    /// `gflops` as a share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_share: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Stages>,
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerTime>,
}

/// Milliseconds per image of the stages of a run. They follow each other and add up to the median run.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Stages {
    pub upload: f64,
    pub preprocess: f64,
    pub forward: f64,
    pub backward: f64,
    pub tail: f64,
    pub readback: f64,
}

impl Stages {
    /// The stages in the order of execution.
    pub fn named(&self) -> [(&'static str, f64); 6] {
        [
            ("upload", self.upload),
            ("preprocess", self.preprocess),
            ("forward", self.forward),
            ("backward", self.backward),
            ("tail", self.tail),
            ("readback", self.readback),
        ]
    }
}
