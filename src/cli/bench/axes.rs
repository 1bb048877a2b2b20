//! What to measure: every combination of the given values.

use std::time::Duration;

use clap::Args;
use gradcam::{Method, Result};

use super::places::{self, Place};
use super::rounds::{Group, Network};
use crate::cli::args::{BACKEND, BackendArg, Precision, methods, seconds, sides, unique};
use crate::cli::synthetic::open;

#[derive(Args)]
pub struct Axes {
    /// Architectures (timm/NAME for timm's), the bundled model, or files of weights or networks
    #[arg(value_name = "NAME|FILE", default_value = gradcam::model::BUNDLED)]
    pub networks: Vec<String>,
    /// Images per batch
    #[arg(long, value_name = "N", default_values_t = [1], value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: Vec<u32>,
    /// Height and width of the images; the network's own if not given
    #[arg(long, value_name = "N|HxW", value_parser = sides)]
    size: Vec<[usize; 2]>,
    /// Layer to explain at; the last feature map if not given
    #[arg(long, value_name = "PATH")]
    layer: Vec<String>,
    #[arg(long, value_name = "NAME", default_value = Method::default().name(), help = methods())]
    method: Vec<Method>,
    /// A number or a part of a name from `gradcam devices`, or "cpu" for plain loops without any driver
    #[arg(long, value_name = "NAME|INDEX|cpu", conflicts_with = "all")]
    device: Vec<String>,
    /// Every adapter
    #[arg(long)]
    all: bool,
    /// Use only this graphics API
    #[arg(long, value_enum, env = BACKEND, hide_env_values = true, ignore_case = true)]
    backend: Option<BackendArg>,
    /// Kernel variants, or "all"; if not given, the best one by a short measurement on the device
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    /// How weights are stored on the device
    #[arg(long, value_enum, default_value = "f32")]
    precision: Vec<Precision>,
    /// How long to wait for the device before it counts as hanging; two minutes if not given
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Minimum number of measured runs; quick ones are repeated for 20 ms per round
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// Show the time of each layer by the device's clock
    #[arg(long)]
    kernels: bool,
}

impl Axes {
    /// The devices and how to use them.
    ///
    /// # Errors
    /// As [`places::places`].
    pub fn places(&self) -> Result<Vec<Place>> {
        let devices = match &self.device[..] {
            [] if self.all => places::all_adapters(self.backend)?,
            [] => vec![None],
            named => unique(named.iter().cloned().map(Some)),
        };
        places::places(&devices, self.backend, &self.variant, &unique(self.precision.iter().copied()), self.timeout)
    }

    /// What to measure of a network.
    ///
    /// # Errors
    /// As [`open`].
    pub fn network<'a>(&'a self, name: &'a str, places: &'a [Place]) -> Result<Network<'a>> {
        let model = open(name)?;
        let layers = if self.layer.is_empty() { vec![None] } else { unique(self.layer.iter().map(|l| Some(&**l))) };
        let sizes = if self.size.is_empty() { vec![model.preprocess.size] } else { unique(self.size.iter().copied()) };
        let methods = unique(self.method.iter().copied());
        let mut groups = vec![];
        for place in places {
            for &method in &methods {
                groups.extend(layers.iter().map(|&layer| Group { place, method, layer }));
            }
        }
        let batches = unique(self.batch.iter().map(|&batch| batch as usize));
        let channels = model.preprocess.channels();
        let shapes = sizes.iter().flat_map(|&[h, w]| batches.iter().map(move |&batch| [batch, channels, h, w]));
        Ok(Network { name, model, groups, shapes: shapes.collect(), runs: self.runs as usize, kernels: self.kernels })
    }
}
