//! `gradcam bench`.

mod layers;
mod measure;
mod places;
mod rounds;
mod row;
mod table;

use std::io::{Write, stdout};
use std::path::Path;

use clap::Args;
use gradcam::{Error, Method, Model, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::{BackendArg, Failure, Precision, print_json, say};
use places::Place;
use rounds::{Group, Network};
use row::Row;
use table::Table;

/// Classes of networks without weights, as ImageNet's.
const CLASSES: usize = 1000;

/// Time heat maps: from normalised images in memory to heat maps in memory
///
/// Measures every combination of what is named. A network that is not bundled gets weights from a formula: they do not
/// change the time. Configurations of a network are measured in turn, in five rounds after a warm-up; figures are medians.
#[derive(Args)]
pub struct Bench {
    /// Architectures (timm/NAME for timm's), the bundled model, or .safetensors files
    #[arg(value_name = "NAME|FILE", default_value = gradcam::model::BUNDLED)]
    networks: Vec<String>,
    /// Images computed at once
    #[arg(long, value_name = "N", default_values_t = [1], value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: Vec<u32>,
    /// Height and width of the images; the network's own if not given
    #[arg(long, value_name = "HxW", value_parser = size)]
    size: Vec<[usize; 2]>,
    /// Layer to explain at; the last feature map if not given
    #[arg(long, value_name = "PATH")]
    layer: Vec<String>,
    /// How to explain
    #[arg(long, value_name = "NAME", default_value = Method::default().name())]
    method: Vec<Method>,
    /// A number or a part of a name from `gradcam devices`, or "cpu" for plain loops without any driver
    #[arg(long, value_name = "NAME|INDEX|cpu", conflicts_with = "all")]
    device: Vec<String>,
    /// Every adapter
    #[arg(long)]
    all: bool,
    /// Only this graphics interface
    #[arg(long, value_enum)]
    backend: Option<BackendArg>,
    /// Kernel variants, or "all"; if not given, what a short measurement on the device found best
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    /// How weights are stored on the device
    #[arg(long, value_enum, default_value = "f32")]
    precision: Vec<Precision>,
    /// Runs that count at least; quick ones are repeated for 20 ms a round
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// Show the time of each layer by the device's clock
    #[arg(long)]
    kernels: bool,
    /// Print an array of rows
    #[arg(long, group = "form")]
    json: bool,
    /// Print comma-separated values
    #[arg(long, group = "form")]
    csv: bool,
    /// Print tables in Markdown
    #[arg(long, group = "form")]
    markdown: bool,
}

impl Bench {
    pub fn run(self) -> Result<(), Failure> {
        let devices = match &self.device[..] {
            [] if self.all => places::all_adapters(self.backend)?,
            [] => vec![None],
            named => named.iter().cloned().map(Some).collect(),
        };
        let places =
            places::places(&unique(devices), self.backend, &self.variant, &unique(self.precision.iter().copied()))?;
        // What cannot be measured is told before anything is.
        for name in &self.networks {
            self.network(name, &places)?.check()?;
        }
        let bar = progress();
        let mut rows = vec![];
        for name in unique(&self.networks) {
            let network = self.network(name, &places)?;
            bar.inc_length(network.steps() as u64);
            rows.extend(network.measure(&bar));
        }
        bar.finish_and_clear();
        share_peaks(&mut rows);
        self.print(&rows)?;
        let failed: Vec<&Row> = rows.iter().filter(|row| row.error.is_some()).collect();
        for row in &failed {
            let error = row.error.as_deref().unwrap_or_default();
            say(&format!("{}, batch {}, {}: {error}", row.key.model, row.key.batch, row.key.variant));
        }
        if failed.is_empty() { Ok(()) } else { Err(Failure::Reported(1)) }
    }

    fn print(&self, rows: &[Row]) -> Result<(), Failure> {
        if self.json {
            return print_json(&rows);
        }
        let mut out = stdout().lock();
        if self.csv {
            return Ok(write!(out, "{}", table::csv(rows))?);
        }
        let tables = [(Table::figures(rows), ""), (Table::stages(rows), "Stages, milliseconds an image: ")];
        for (table, title) in tables.into_iter().filter(|(table, _)| !table.is_empty()) {
            let body = if self.markdown { table.markdown() } else { table.text() };
            writeln!(out, "{title}{}\n\n{body}", table.shared)?;
        }
        Ok(rows.iter().try_for_each(|row| layers::print(&mut out, row))?)
    }

    /// What to measure of a network.
    fn network<'a>(&'a self, name: &'a str, places: &'a [Place]) -> Result<Network<'a>> {
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
        let shapes = sizes.iter().flat_map(|&[h, w]| batches.iter().map(move |&batch| [batch, 3, h, w]));
        Ok(Network { name, model, groups, shapes: shapes.collect(), runs: self.runs as usize, kernels: self.kernels })
    }
}

/// An adapter's peak is the best that was measured of it: noise only takes away.
fn share_peaks(rows: &mut [Row]) {
    let peaks: Vec<(String, String, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.key.adapter.clone(), row.key.backend.clone(), row.figures.as_ref()?.peak_gflops?)))
        .collect();
    for Row { key, figures, .. } in rows {
        let same = peaks.iter().filter(|(adapter, backend, _)| (adapter, backend) == (&key.adapter, &key.backend));
        let peak = same.map(|(.., peak)| *peak).reduce(f64::max);
        if let Some(figures) = figures {
            figures.peak_gflops = peak;
            figures.peak_share = peak.map(|peak| figures.gflops / peak);
        }
    }
}

/// A bar on the terminal.
fn progress() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

/// Height and width.
fn size(text: &str) -> Result<[usize; 2], String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=4096).contains(side));
    let sides = text.split_once(['x', 'X', '×']).and_then(|(h, w)| Some([side(h)?, side(w)?]));
    sides.ok_or_else(|| "height and width are named as 224x224, up to 4096".into())
}

/// Each value once, in the order of the first ones.
fn unique<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut once: Vec<T> = vec![];
    for value in values {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    once
}

/// Normalised images of noise.
pub fn values(shape: [usize; 4]) -> Vec<f32> {
    gradcam::model::seeded::unit("images", shape.iter().product()).map(|u| u * 4.0 - 2.0).collect()
}

/// The bundled model, a file, or an architecture with weights from a formula.
pub fn open(network: &str) -> Result<Model> {
    if network == gradcam::model::BUNDLED || Path::new(network).extension().is_some() {
        return Model::open(network, None);
    }
    Model::seeded(network, CLASSES, 1.0).map_err(|error| match error {
        Error::Unknown { name, suggestions, list, .. } => Error::Unknown { kind: "network", name, suggestions, list },
        other => other,
    })
}
