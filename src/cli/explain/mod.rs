//! `gradcam explain`.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use gradcam::picture::ahead;
use gradcam::{
    Batch, Classes, Colormap, Error, Explainer, Explanation, Images, Method, Outputs, Pending, Photo, Result, Status,
    Style,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::args::{DeviceArgs, ModelArgs, methods};
use super::output::Output;
use super::say::{Failure, plain, print_json, say};
use super::tensors::{Collected, Tensors, check_place};

/// Maximum number of pending batches.
const IN_FLIGHT: usize = 3;
/// How many of the most probable classes are named.
const PREDICTIONS: usize = 3;
/// File extensions of pictures in folders.
const ENDINGS: [&str; 9] = ["bmp", "gif", "jpeg", "jpg", "jfif", "png", "tif", "tiff", "webp"];

/// Show where a network saw a class
///
/// Explains each photo's most probable class, or the given classes, and draws the heat map over the photo. With --json
/// or --save-tensors, pictures are written only if --output is given.
#[derive(Args)]
pub struct Explain {
    /// Photos, or folders of photos
    #[arg(value_name = "IMAGE|DIR")]
    images: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    /// Layer to explain at, see `gradcam layers`; the last feature map if not given. The maps of several layers are
    /// fused by the mean
    #[arg(long, value_name = "PATH")]
    layer: Vec<String>,
    #[arg(long, value_name = "NAME", default_value = Method::default().name(), help = methods())]
    method: String,
    /// Class to explain, by number or label; may be given several times
    #[arg(long, value_name = "ID|LABEL", conflicts_with = "top", allow_hyphen_values = true)]
    class: Vec<String>,
    /// Explain the K most probable classes; 1 if no class is named
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=1000))]
    top: Option<u32>,
    /// Where to write the overlay: a PNG for one photo, a folder for several; ./NAME.gradcam.png if not given
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Opacity of the colours, 0 to 1
    #[arg(long, default_value_t = 0.5)]
    alpha: f32,
    /// Colours of the heat map
    #[arg(long, value_name = "jet|turbo|viridis|inferno|gray", default_value = "jet")]
    colormap: String,
    /// Print one object per image
    #[arg(long)]
    json: bool,
    /// Explain the f32 tensor "input" [N,3,H,W] of a file, already normalised, instead of photos; an i64 tensor
    /// "classes" [N] or [N,K] in the same file gives the classes of each image
    #[arg(long, value_name = "IN.safetensors", conflicts_with_all = ["images", "output"])]
    tensors: Option<PathBuf>,
    /// Print the speed and the load of the device at the end
    #[arg(long)]
    timing: bool,
    /// Write "logits" [N,C], "classes" [N,K], "cam" [N,K,h,w] and "heatmap" [N,K,H,W] to a file
    #[arg(long, value_name = "OUT.safetensors")]
    save_tensors: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Images per batch
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: u32,
}

impl Explain {
    pub fn run(self) -> Result<(), Failure> {
        if !(0.0..=1.0).contains(&self.alpha) {
            return Err(Error::Request(format!("--alpha is {}, not between 0 and 1", self.alpha)).into());
        }
        let method: Method = self.method.parse()?;
        let colormap: Colormap = self.colormap.parse()?;
        let model = self.model.open()?;
        let classes = match &self.class[..] {
            [] => Classes::Top(self.top.unwrap_or(1) as usize),
            chosen => Classes::Chosen(chosen.iter().map(|c| model.class(c)).collect::<Result<_>>()?),
        };
        // Errors in the request are found before a device is opened.
        let tensors = self.tensors.as_deref().map(|path| Tensors::open(path, &model)).transpose()?;
        if tensors.as_ref().is_some_and(|t| t.classes.is_some()) && (self.top.is_some() || !self.class.is_empty()) {
            return Err(Error::Request(
                "the file's \"classes\" already say what to explain; leave --class and --top out".into(),
            )
            .into());
        }
        let photos = photos(&self.images)?;
        if tensors.is_none() && photos.is_empty() {
            return Err(Error::Request("no photos given; name some, or a folder of them".into()).into());
        }
        if let Some(path) = &self.save_tensors {
            let read: Vec<PathBuf> =
                photos.iter().chain(&self.tensors).cloned().chain([PathBuf::from(&self.model.model)]).collect();
            check_place(path, &read)?;
        }
        let draws = tensors.is_none() && (self.output.is_some() || !(self.json || self.save_tensors.is_some()));
        let explainer = Explainer::new(model, gradcam::Device::Cpu).with_method(method);
        let layers: Vec<&str> = self.layer.iter().map(String::as_str).collect();
        let explainer = if layers.is_empty() { explainer } else { explainer.with_layers(&layers)? };
        let saves = self.save_tensors.is_some();
        let style = Style::default().alpha(self.alpha).colormap(colormap);
        let outputs = Outputs::default().predictions(PREDICTIONS).logits(saves).raw(saves).heatmap(saves);
        let outputs = outputs.overlay(draws.then_some(style)).clock(self.timing);
        let device = self.device.open()?;
        let mut run = Run {
            explainer: explainer.on(device),
            outputs,
            output: draws.then(|| Output::new(self.output.as_deref(), &photos)).transpose()?,
            json: self.json,
            collected: saves.then(Collected::default),
            bar: progress(tensors.as_ref().map_or(photos.len(), |t| t.shape[0])),
            busy: vec![],
            worst: 0,
            unheard: false,
        };
        match &tensors {
            Some(tensors) => run.tensors(tensors, &classes, self.batch as usize)?,
            None => run.photos(photos, &classes, self.batch as usize)?,
        }
        run.bar.finish_and_clear();
        if let (Some(path), Some(collected), 0) = (&self.save_tensors, &run.collected, run.worst) {
            // Only if no image failed: a missing image would shift the rows of the others.
            collected.save(path)?;
        }
        if run.worst > 0 { Err(Failure::Reported(run.worst)) } else { Ok(()) }
    }
}

/// A run over all images.
struct Run {
    explainer: Explainer,
    outputs: Outputs,
    output: Option<Output>,
    json: bool,
    collected: Option<Collected>,
    bar: ProgressBar,
    /// Begin and end of the device's work on each batch, in nanoseconds of its clock.
    busy: Vec<[u64; 2]>,
    /// The worst exit code of the images that failed.
    worst: u8,
    /// Stdout is closed. Files are still written.
    unheard: bool,
}

impl Run {
    /// Explains photos. One that cannot be read is reported and skipped. While the device works on a batch, threads
    /// prepare the next ones.
    fn photos(&mut self, paths: Vec<PathBuf>, classes: &Classes, mut batch: usize) -> Result<(), Failure> {
        let start = Instant::now();
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let mut photos = ahead(paths, &self.explainer.model().preprocess, threads);
        let mut flying: VecDeque<(Vec<PathBuf>, Pending)> = VecDeque::new();
        loop {
            let taken: Vec<(PathBuf, Result<Photo>)> = photos.by_ref().take(batch).collect();
            let over = taken.is_empty();
            let mut good = vec![];
            for (path, photo) in taken {
                match photo {
                    Ok(photo) => good.push((path, photo)),
                    Err(error) => self.report(&error, error.is_machine()),
                }
            }
            let mut parts: Vec<(Vec<PathBuf>, Vec<Photo>)> = vec![good.into_iter().unzip()];
            while let Some((mut paths, mut photos)) = parts.pop().filter(|part| !part.1.is_empty()) {
                let submitted = self.explainer.submit(Images::Photos(&photos), classes, &self.outputs);
                match pollster::block_on(submitted) {
                    // Pending batches hold memory too, and so do plans of other shapes.
                    Err(Error::OutOfMemory { .. }) if self.land(&mut flying)? || self.explainer.forget_plans() => {
                        parts.push((paths, photos));
                    }
                    Err(Error::OutOfMemory { .. }) if photos.len() > 1 => {
                        // Halve the batch, for all later photos too.
                        batch = photos.len() / 2;
                        let rest = (paths.split_off(batch), photos.split_off(batch));
                        parts.extend([rest, (paths, photos)]);
                    }
                    // Other photos may be smaller.
                    Err(error @ Error::OutOfMemory { .. }) => {
                        self.report(&format!("{}: {error}", paths[0].display()), true);
                    }
                    result => flying.push_back((paths, result?)),
                }
                while flying.len() >= IN_FLIGHT {
                    self.land(&mut flying)?;
                }
            }
            if over {
                while self.land(&mut flying)? {}
                return self.timing(start.elapsed().as_secs_f64());
            }
        }
    }

    /// Waits for the oldest pending batch, if there is one, and shows its results.
    fn land(&mut self, flying: &mut VecDeque<(Vec<PathBuf>, Pending)>) -> Result<bool, Failure> {
        let Some((paths, pending)) = flying.pop_front() else { return Ok(false) };
        let result = pollster::block_on(pending.finish())?;
        self.busy.extend(result.stats.device_ns);
        for (explanation, path) in result.explanations.iter().zip(&paths) {
            self.show(&path.display().to_string(), Some(path), explanation, &result)?;
        }
        self.collect(&result);
        self.bar.inc(paths.len() as u64);
        Ok(true)
    }

    /// Prints the photos per second and the device's share of busy time, if asked for.
    fn timing(&self, seconds: f64) -> Result<(), Failure> {
        if let (Some(first), Some(last)) = (self.busy.first(), self.busy.last()) {
            let worked: u64 = self.busy.iter().map(|[begin, end]| end - begin).sum();
            let share = worked as f64 / (last[1] - first[0]) as f64 * 100.0;
            let rate = self.bar.position() as f64 / seconds;
            say(&format!("{rate:.1} photos/s, {seconds:.2} s in all; the device was busy {share:.1} % of its time"));
        }
        Ok(())
    }

    fn tensors(&mut self, tensors: &Tensors, classes: &Classes, mut batch: usize) -> Result<(), Failure> {
        let [n, c, h, w] = tensors.shape;
        let mut first = 0;
        while first < n {
            let last = n.min(first + batch);
            let images = Images::Tensor {
                shape: [last - first, c, h, w],
                values: &tensors.values[first * c * h * w..last * c * h * w],
            };
            let own = tensors.classes.as_ref().map(|c| Classes::PerImage(c[first..last].to_vec()));
            let result = match self.explainer.explain(images, own.as_ref().unwrap_or(classes), &self.outputs) {
                Err(Error::OutOfMemory { .. }) if self.explainer.forget_plans() => continue,
                Err(Error::OutOfMemory { .. }) if last - first > 1 => {
                    batch = (last - first) / 2;
                    continue;
                }
                result => result?,
            };
            for (i, explanation) in result.explanations.iter().enumerate() {
                self.show(&format!("input[{}]", first + i), None, explanation, &result)?;
            }
            self.collect(&result);
            self.bar.inc((last - first) as u64);
            first = last;
        }
        Ok(())
    }

    fn collect(&mut self, batch: &Batch) {
        if let Some(collected) = &mut self.collected {
            collected.add(batch);
        }
    }

    /// Reports the error of one image and continues.
    fn report(&mut self, error: &impl Display, is_machine: bool) {
        self.bar.suspend(|| say(&error.to_string()));
        self.worst = self.worst.max(if is_machine { 1 } else { 2 });
    }

    /// Writes the image's overlays and prints its results. A map that is not finite is an error and gives no picture.
    fn show(
        &mut self,
        name: &str,
        path: Option<&Path>,
        explanation: &Explanation,
        batch: &Batch,
    ) -> Result<(), Failure> {
        let mut files = vec![];
        if let (Some(output), Some(path)) = (&mut self.output, path) {
            for (i, heatmap) in explanation.heatmaps.iter().enumerate() {
                let file = output.file(path, &heatmap.prediction, i + 1, explanation.heatmaps.len())?;
                let means = heatmap.status != Status::NonFinite;
                if means {
                    heatmap.save_overlay(&file)?;
                }
                files.push(means.then_some(file));
            }
        }
        if explanation.heatmaps.iter().any(|h| h.status == Status::NonFinite) {
            self.report(&Error::NonFinite { what: name.to_owned() }, true);
        }
        match self.print(name, &files, explanation, batch) {
            Err(Failure::Pipe) => self.unheard = true,
            other => other?,
        }
        Ok(())
    }

    fn print(
        &self,
        name: &str,
        files: &[Option<PathBuf>],
        explanation: &Explanation,
        batch: &Batch,
    ) -> Result<(), Failure> {
        if self.unheard {
            return Ok(());
        }
        if self.json {
            let maps = explanation.heatmaps.iter().enumerate().map(|(i, heatmap)| {
                let p = &heatmap.prediction;
                json!({"class": p.class, "label": p.label, "logit": p.logit, "probability": p.probability,
                       "status": heatmap.status, "overlay": files.get(i)})
            });
            return self.bar.suspend(|| {
                print_json(&json!({
                    "image": name,
                    "model": self.explainer.model().name(),
                    "layer": self.explainer.layers().join(","),
                    "layer_size": batch.layer_size,
                    "predictions": explanation.predictions,
                    "maps": maps.collect::<Vec<_>>(),
                    "batch": {"images": batch.explanations.len(), "stats": batch.stats},
                }))
            });
        }
        self.bar.suspend(|| {
            let mut out = stdout().lock();
            writeln!(out, "{}", plain(name))?;
            let explained = explanation.heatmaps.iter().map(|h| &h.prediction);
            for (i, heatmap) in explanation.heatmaps.iter().enumerate() {
                let file = files
                    .get(i)
                    .and_then(Option::as_ref)
                    .map_or(String::new(), |f| format!("  → {}", plain(f.display())));
                let remark = heatmap.status.remark().map_or(String::new(), |r| format!("  ({r})"));
                writeln!(out, "{}{file}{remark}", line(&heatmap.prediction))?;
            }
            for prediction in explanation.predictions.iter().filter(|p| explained.clone().all(|e| e.class != p.class)) {
                writeln!(out, "{}", line(prediction))?;
            }
            Ok(())
        })
    }
}

fn line(p: &gradcam::Prediction) -> String {
    format!("  {:5.1} %  {} ({})", p.probability * 100.0, plain(&p.label), p.class)
}

/// The given photos, and those in the given folders. The photos of a folder are sorted by name.
fn photos(given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut photos = vec![];
    for path in given {
        if !path.is_dir() {
            photos.push(path.clone());
            continue;
        }
        let read = |source| Error::Read { path: path.clone(), source };
        let mut inside = vec![];
        for entry in std::fs::read_dir(path).map_err(read)? {
            let entry = entry.map_err(read)?.path();
            // Overlays of an earlier run are not photos.
            if entry.file_stem().is_some_and(|stem| stem.to_string_lossy().contains(".gradcam")) {
                continue;
            }
            let ending = entry.extension().map(|e| e.to_ascii_lowercase());
            if ending.is_some_and(|e| ENDINGS.iter().any(|known| e == *known)) {
                inside.push(entry);
            }
        }
        if inside.is_empty() {
            return Err(Error::Request(format!(
                "{}: no pictures in this folder ({})",
                path.display(),
                ENDINGS.join(", ")
            )));
        }
        inside.sort();
        photos.extend(inside);
    }
    Ok(photos)
}

/// A progress bar on the terminal, hidden for a single image.
fn progress(images: usize) -> ProgressBar {
    if images < 2 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} images, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(images as u64).with_style(style)
}
