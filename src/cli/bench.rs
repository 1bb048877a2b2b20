//! `gradcam bench`.

use std::io::{Write, stdout};
use std::time::Instant;

use clap::Args;
use cpu_time::ProcessTime;
use gradcam::{Batch, Classes, Device, Error, Explainer, Images, LayerTime, Method, Model, Outputs, Result};
use serde::Serialize;

use super::{DeviceArgs, Failure, print_json};

/// Classes of networks without weights, as ImageNet's.
const CLASSES: usize = 1000;

/// Time heat maps: from normalised images in memory to heat maps in memory
///
/// A network that is not bundled gets weights from a formula: they do not change the time.
#[derive(Args)]
pub struct Bench {
    /// Architectures (timm/NAME for timm's), the bundled model, or .safetensors files
    #[arg(value_name = "NAME|FILE", default_value = gradcam::model::BUNDLED)]
    networks: Vec<String>,
    /// Images computed at once; several are measured one after the other
    #[arg(long, value_name = "N", default_values_t = [1], value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: Vec<u32>,
    /// Layer to explain at; the last feature map if not given
    #[arg(long, value_name = "PATH")]
    layer: Option<String>,
    /// Runs, of which the median counts, after one that is not counted
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// Print an array of rows
    #[arg(long)]
    json: bool,
    /// Show the time of each layer by the device's clock
    #[arg(long)]
    kernels: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Measurements of the time of each layer.
const TIMINGS: usize = 7;

/// What was measured.
#[derive(Serialize)]
struct Row {
    model: String,
    method: &'static str,
    layer: String,
    height: usize,
    width: usize,
    batch: usize,
    precision: &'static str,
    backend: String,
    adapter: String,
    driver: String,
    software: bool,
    variant: &'static str,
    images_per_second: f64,
    ms_per_image: f64,
    cpu_ms_per_image: f64,
    first_run_ms: f64,
    submissions: u32,
    readbacks: u32,
    readback_bytes: u64,
    gpu_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_gflops: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<LayerTime>,
}

impl Bench {
    pub fn run(self) -> Result<(), Failure> {
        let mut rows = vec![];
        for network in &self.networks {
            let mut explainer = Explainer::new(open(network)?, Device::Cpu);
            if let Some(layer) = &self.layer {
                explainer = explainer.with_layer(layer)?;
            }
            explainer = explainer.on(self.device.open()?);
            for &batch in &self.batch {
                let row = self.measure(&mut explainer, network, batch as usize)?;
                if !self.json {
                    self.print(&row)?;
                }
                rows.push(row);
            }
        }
        if self.json { print_json(&rows) } else { Ok(()) }
    }

    fn measure(&self, explainer: &mut Explainer, network: &str, batch: usize) -> Result<Row> {
        let [height, width] = explainer.model().preprocess.size;
        let shape = [batch, 3, height, width];
        let values = values(shape);
        let outputs = Outputs { heatmap: true, ..Outputs::default() };
        let mut run = || -> Result<(f64, f64, Batch)> {
            let (start, cpu) = (Instant::now(), ProcessTime::now());
            let batch = explainer.explain(Images::Tensor { shape, values: &values }, &Classes::Top(1), &outputs)?;
            Ok((start.elapsed().as_secs_f64() * 1e3, cpu.elapsed().as_secs_f64() * 1e3, batch))
        };
        let (first_run_ms, _, first) = run()?;
        let runs = (0..self.runs).map(|_| run()).collect::<Result<Vec<_>>>()?;
        let median = |of: fn(&(f64, f64, Batch)) -> f64| {
            let mut values: Vec<f64> = runs.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2] / batch as f64
        };
        let (ms_per_image, cpu_ms_per_image) = (median(|r| r.0), median(|r| r.1));
        let (mut layers, mut peak_gflops) = (vec![], None);
        if let (true, Device::Gpu(gpu)) = (self.kernels, explainer.device()) {
            peak_gflops = Some(pollster::block_on(gpu.peak())? * 2e-9);
            layers = least_times(explainer)?;
        }
        let (backend, adapter, driver, software, variant) = match explainer.device() {
            Device::Cpu => ("cpu".into(), "cpu".into(), String::new(), true, "f64 loops"),
            Device::Gpu(gpu) => {
                let info = gpu.info();
                let backend = format!("{:?}", info.backend).to_lowercase();
                (backend, info.name.clone(), info.driver.clone(), info.software, gpu.profile().name)
            }
        };
        Ok(Row {
            model: network.to_owned(),
            method: Method::default().name(),
            layer: explainer.layers().join(","),
            height,
            width,
            batch,
            precision: self.device.precision.name(),
            backend,
            adapter,
            driver,
            software,
            variant,
            images_per_second: 1e3 / ms_per_image,
            ms_per_image,
            cpu_ms_per_image,
            first_run_ms,
            submissions: first.stats.submissions,
            readbacks: first.stats.readbacks,
            readback_bytes: first.stats.readback_bytes,
            gpu_bytes: first.stats.gpu_bytes,
            peak_gflops,
            layers,
        })
    }

    fn print(&self, row: &Row) -> Result<(), Failure> {
        let mut out = stdout().lock();
        writeln!(
            out,
            "{} at {}, {}×{}, batch {}: {:.2} ms an image ({:.1} images/s, {:.2} ms of processor), first run {:.0} ms, {} MiB",
            row.model,
            row.layer,
            row.height,
            row.width,
            row.batch,
            row.ms_per_image,
            row.images_per_second,
            row.cpu_ms_per_image,
            row.first_run_ms,
            row.gpu_bytes >> 20,
        )?;
        if let Some(peak) = row.peak_gflops {
            writeln!(out, "  the device does {peak:.0} GFLOP/s in registers; shares of the time and of that peak:")?;
        }
        let all: f64 = row.layers.iter().map(|l| l.seconds).sum();
        for layer in &row.layers {
            let rate = if layer.multiply_adds > 0 {
                let rate = layer.multiply_adds as f64 * 2e-9 / layer.seconds;
                format!("{rate:7.1} GFLOP/s {:4.0} %", rate / row.peak_gflops.unwrap_or(f64::NAN) * 100.0)
            } else {
                String::new()
            };
            let (ms, share) = (layer.seconds * 1e3, layer.seconds / all * 100.0);
            writeln!(out, "  {ms:8.3} ms {share:5.1} % {rate:22} {:36} {}", layer.name, layer.kernels)?;
        }
        Ok(())
    }
}

/// Each layer's least time of a few measurements: noise only adds.
fn least_times(explainer: &Explainer) -> Result<Vec<LayerTime>> {
    let time = || pollster::block_on(explainer.time());
    let mut least = time()?;
    for _ in 1..TIMINGS {
        for (layer, again) in least.iter_mut().zip(time()?) {
            layer.seconds = layer.seconds.min(again.seconds);
        }
    }
    Ok(least)
}

/// Normalised images of noise.
pub fn values(shape: [usize; 4]) -> Vec<f32> {
    gradcam::model::seeded::unit("images", shape.iter().product()).map(|u| u * 4.0 - 2.0).collect()
}

/// The bundled model, a file, or an architecture with weights from a formula.
pub fn open(network: &str) -> Result<Model> {
    if network == gradcam::model::BUNDLED || std::path::Path::new(network).extension().is_some() {
        return Model::open(network, None);
    }
    Model::seeded(network, CLASSES, 1.0).map_err(|error| match error {
        Error::Unknown { name, suggestions, list, .. } => Error::Unknown { kind: "network", name, suggestions, list },
        other => other,
    })
}
