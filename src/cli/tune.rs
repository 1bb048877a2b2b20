//! `gradcam tune`.

use std::io::{Write, stdout};

use clap::Args;
use gradcam::gpu::Verdicts;
use gradcam::{Classes, Device, Error, Explainer, Images, Outputs, Result};
use indicatif::ProgressBar;

use super::args::{DeviceArgs, Precision, remember};
use super::say::{Failure, print_json};
use super::synthetic::{open, values};

/// Measure which register tiles suit this device, and remember them
///
/// Runs every tile for each shape of matrix product in the networks. The best tiles are kept in the user's cache
/// folder. This device, driver and variant use them from then on. Takes about a minute.
#[derive(Args)]
pub struct Tune {
    /// Architectures (timm/NAME for timm's), the bundled model, or .safetensors files
    #[arg(value_name = "NAME|FILE", default_values_t = [gradcam::model::BUNDLED.to_owned(), "resnet50".into(), "vgg16".into()])]
    networks: Vec<String>,
    /// Images per batch
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: u32,
    /// Print an array of the measurements: each product with each tile
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Tune {
    pub fn run(self) -> Result<(), Failure> {
        if self.device.precision == Precision::F16 {
            let reason = "tiles are measured for products of f32; leave --precision f16 out";
            return Err(Error::Request(reason.into()).into());
        }
        let Some(mut gpu) = self.device.gpu()? else {
            return Err(Error::Request("there is nothing to tune on the cpu; leave --device out".into()).into());
        };
        let outputs = Outputs::default().heatmap(true);
        let mut plans = vec![];
        for network in &self.networks {
            let explainer = Explainer::new(open(network)?, Device::Cpu);
            let [h, w] = explainer.model().preprocess.size;
            let shape = [self.batch as usize, explainer.model().preprocess.channels(), h, w];
            let values = values(shape);
            plans.push(explainer.plan(
                Images::Tensor { shape, values: &values },
                &Classes::Top(1),
                &outputs,
                gpu.profile(),
            )?);
        }
        let bar = ProgressBar::new(0);
        let measured = pollster::block_on(gpu.tune(&plans, |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        }))?;
        bar.finish_and_clear();
        remember(&gpu, &Verdicts::remembered());
        if self.json {
            return print_json(&measured);
        }
        let (name, variant) = (&gpu.info().name, gpu.variant());
        let shapes = gpu.verdict().tuned.get(variant).map_or(0, |tuned| tuned.0.len());
        Ok(writeln!(stdout(), "{name}, variant {variant}: {shapes} shapes of products measured")?)
    }
}
