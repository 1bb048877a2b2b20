//! What is done with explanations: overlays, tensors, lines.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::ErrorKind::BrokenPipe;
use std::io::{Write, stdout};
use std::path::PathBuf;

use gradcam::files::write_atomically;
use gradcam::picture::encode;
use gradcam::{Batch, Error, Explainer, Explanation, Heatmap, Prediction, Result, Status};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use super::caption;
use super::output::Output;
use super::saved::Saved;
use crate::cli::say::{Failure, plain, print_json, say};

/// An image of the run.
pub struct Image {
    /// Its number among all images.
    pub index: usize,
    pub name: String,
    /// The part of a photo that the network sees, 0 to 1.
    pub seen: Option<f64>,
}

impl Image {
    pub fn new(index: usize, names: &[String]) -> Self {
        Self { index, name: names[index].clone(), seen: None }
    }
}

/// A progress bar on the terminal.
fn bar(length: usize, unit: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {unit}, {{eta}} left"));
    ProgressBar::new(length as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Where results go, and what became of them.
pub struct Results {
    /// The network's name, and its target layers.
    model: String,
    layers: String,
    /// How many methods make maps.
    methods: usize,
    /// What the network is.
    about: Map<String, Value>,
    output: Option<Output>,
    captions: bool,
    saved: Option<Saved>,
    json: bool,
    pub bar: ProgressBar,
    /// How many images there are, were explained, and failed.
    images: usize,
    pub done: usize,
    failed: usize,
    /// The worst exit code of what failed.
    pub worst: u8,
    /// Stdout is closed. Files are still written.
    unheard: bool,
}

impl Results {
    pub fn new(
        explainer: &Explainer,
        about: Map<String, Value>,
        output: Option<Output>,
        saved: Option<Saved>,
        json: bool,
        captions: bool,
    ) -> Self {
        Self {
            model: explainer.model().name().to_owned(),
            layers: match explainer.methods().iter().all(|method| method.is_of_pixels()) {
                true => "pixels".into(),
                false => explainer.layers().join(","),
            },
            methods: explainer.methods().len(),
            about,
            output,
            captions,
            saved,
            json,
            bar: ProgressBar::hidden(),
            images: 0,
            done: 0,
            failed: 0,
            worst: 0,
            unheard: false,
        }
    }

    /// Whether an earlier run wrote the overlays of this image.
    pub fn exists(&mut self, image: usize) -> bool {
        self.output.as_mut().is_some_and(|output| output.exists(image))
    }

    /// Begins with so many images: a progress bar on the terminal, hidden for a single image.
    pub fn begin(&mut self, images: usize) {
        self.images = images;
        if images > 1 {
            self.bar = bar(images, "images{msg}");
        }
    }

    /// Shows that some of a batch's parts are done.
    pub fn part(&mut self, done: usize, parts: usize) {
        match (parts, self.images) {
            (1, _) => {}
            (_, 1) => {
                if done == 1 {
                    self.bar = bar(parts, "batches of masked images");
                }
                self.bar.set_position(done as u64);
                if done == parts {
                    self.bar.finish_and_clear();
                }
            }
            _ => self.bar.set_message(format!(", {done}/{parts} batches of masked images")),
        }
    }

    /// Ends the run, and completes the tensors.
    ///
    /// # Errors
    /// What ended the run early. Of a full disk it is told how far the run came.
    pub fn end(&mut self, ended: Result<(), Failure>) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        let saved = self.saved.take();
        let rest = if saved.is_none() { "go on with --skip-existing" } else { "start again" };
        // A run that lost its device keeps the tensors of what was explained.
        let is_full = matches!(&ended, Err(Failure::Here(error)) if error.is_full());
        let kept = saved.filter(|_| !is_full).map_or(Ok(()), Saved::finish);
        let ended = ended.and_then(|()| Ok(kept?));
        match ended {
            Err(Failure::Here(error)) if error.is_full() && self.images > 1 => {
                let done = format!("{} of {} images were done: make room and {rest}", self.done, self.images);
                self.report(&format!("{error}; {done}"), true);
                Err(Failure::Reported(1))
            }
            Err(Failure::Pipe) if self.worst > 0 => Err(Failure::Reported(self.worst)),
            other => other,
        }
    }

    /// Says how many images failed.
    ///
    /// # Errors
    /// [`Failure::Reported`] if there is one.
    pub fn close(&self) -> Result<(), Failure> {
        if self.failed > 0 && self.images > 1 {
            say(&format!("{} of {} images failed", self.failed, self.images));
        }
        if self.worst > 0 { Err(Failure::Reported(self.worst)) } else { Ok(()) }
    }

    /// Reports the error of one image. The others go on.
    pub fn fail(&mut self, image: &Image, error: &Error) {
        let text = error.to_string();
        let begin = format!("{}: ", image.name);
        let named = if text.starts_with(&begin) { text } else { begin + &text };
        self.report(&named, error.is_machine());
        self.failed += 1;
        self.bar.inc(1);
        if let Some(saved) = &mut self.saved {
            saved.fail(image.index, &named);
        }
    }

    /// Reports an error, and continues.
    pub fn report(&mut self, error: &impl Display, is_machine: bool) {
        self.bar.suspend(|| say(&error.to_string()));
        self.worst = self.worst.max(if is_machine { 1 } else { 2 });
    }

    /// Writes an image's overlays and tensors, and prints its results. A map that is not finite is an error and gives no
    /// picture.
    ///
    /// # Errors
    /// If nothing more can be written, or nobody reads what is.
    pub fn show(&mut self, image: &Image, explanation: &Explanation, batch: &Batch) -> Result<(), Failure> {
        match self.write(image, explanation) {
            Err(Error::Write { source, .. }) if source.kind() == BrokenPipe => return Err(Failure::Pipe),
            Err(error) if error.is_full() => return Err(error.into()),
            Err(error) => self.fail(image, &error),
            Ok(files) => {
                let finite = explanation.heatmaps.iter().all(|heatmap| heatmap.status != Status::NonFinite);
                if finite {
                    self.done += 1;
                    self.bar.inc(1);
                } else {
                    self.fail(image, &Error::NonFinite { what: image.name.clone() });
                }
                match self.print(image, &files, explanation, batch) {
                    Err(Failure::Pipe) if self.output.is_some() || self.saved.is_some() => self.unheard = true,
                    other => other?,
                }
            }
        }
        Ok(())
    }

    /// Returns the overlay of each map that is finite, if there are overlays.
    fn write(&mut self, image: &Image, explanation: &Explanation) -> Result<Vec<Option<PathBuf>>> {
        let mut files = vec![];
        let caption = self.captions.then(|| self.what());
        if let Some(output) = &mut self.output {
            for (i, heatmap) in explanation.heatmaps.iter().enumerate() {
                files.push(match heatmap.status {
                    Status::NonFinite => None,
                    _ => Some(overlay(output, image.index, i, heatmap, caption.as_deref())?),
                });
            }
        }
        let finite = explanation.heatmaps.iter().all(|heatmap| heatmap.status != Status::NonFinite);
        if let Some(saved) = self.saved.as_mut().filter(|_| finite) {
            saved.add(image.index, explanation)?;
        }
        Ok(files)
    }

    /// What is explained of a class besides its score.
    fn what(&self) -> String {
        self.about.get("what").and_then(Value::as_str).map_or(String::new(), |what| format!(", {what}"))
    }

    fn print(
        &self,
        image: &Image,
        files: &[Option<PathBuf>],
        explanation: &Explanation,
        batch: &Batch,
    ) -> Result<(), Failure> {
        if self.unheard || self.output.as_ref().is_some_and(|output| output.is_stdout) {
            return Ok(());
        }
        if self.json {
            let maps = explanation.heatmaps.iter().enumerate().map(|(i, heatmap)| {
                let p = &heatmap.prediction;
                let overlay = files.get(i).and_then(Option::as_ref).map(|file| file.to_string_lossy());
                let mut map = json!({"class": p.class, "label": p.label, "logit": p.logit, "probability": p.probability,
                       "method": heatmap.method.name(), "completeness": heatmap.completeness, "status": heatmap.status, "overlay": overlay});
                if let Some(similarity) = heatmap.similarity {
                    map["similarity"] = json!(similarity);
                }
                map
            });
            let mut printed = self.about.clone();
            printed.extend([
                ("index".into(), json!(image.index)),
                ("image".into(), json!(image.name)),
                ("seen".into(), json!(image.seen)),
                ("model".into(), json!(self.model)),
                ("layer".into(), json!(self.layers)),
                ("layer_size".into(), json!(batch.layer_size)),
                ("predictions".into(), json!(explanation.predictions)),
                ("maps".into(), maps.collect()),
                ("batch".into(), json!({"images": batch.explanations.len(), "stats": batch.stats})),
            ]);
            return self.bar.suspend(|| print_json(&printed));
        }
        self.bar.suspend(|| {
            let mut out = stdout().lock();
            let seen = image.seen.filter(|seen| *seen < 0.5).map_or(String::new(), |seen| {
                format!("  (the network sees {:.0} % of it; --whole explains all of it)", seen * 100.0)
            });
            writeln!(out, "{}{seen}", plain(&image.name))?;
            let explained = explanation.heatmaps.iter().map(|h| &h.prediction);
            for (i, heatmap) in explanation.heatmaps.iter().enumerate() {
                let file = files
                    .get(i)
                    .and_then(Option::as_ref)
                    .map_or(String::new(), |f| format!("  → {}", plain(f.display())));
                let status = heatmap.status.remark().map(str::to_owned);
                let off = heatmap.completeness.filter(|off| off.abs() > 0.05).map(|off| {
                    format!(
                        "the sum along the path is off by {:.0} %; more --samples bring it closer",
                        off.abs() * 100.0
                    )
                });
                let remark: String = status.into_iter().chain(off).map(|remark| format!("  ({remark})")).collect();
                let method = if self.methods > 1 { format!(", {}", heatmap.method.name()) } else { String::new() };
                let what = match (heatmap.similarity, self.about.get("similar_to").and_then(Value::as_str)) {
                    (Some(cosine), Some(other)) => format!("  {cosine:7.3}  similar to {}", plain(other)),
                    _ => line(&heatmap.prediction),
                };
                writeln!(out, "{what}{}{method}{file}{remark}", self.what())?;
            }
            let is_similarity = explanation.heatmaps.iter().any(|heatmap| heatmap.similarity.is_some());
            let is_new = |p: &&Prediction| is_similarity || explained.clone().all(|e| e.class != p.class);
            for prediction in explanation.predictions.iter().filter(is_new) {
                writeln!(out, "{}", line(prediction))?;
            }
            Ok(())
        })
    }
}

/// Writes the overlay of a map, and returns its file.
///
/// The caption, if there is one, ends with `what`.
fn overlay(output: &mut Output, image: usize, map: usize, heatmap: &Heatmap, caption: Option<&str>) -> Result<PathBuf> {
    let prediction = &heatmap.prediction;
    let missing = || Error::Request("no overlay was drawn".into());
    let mut overlay = Cow::Borrowed(heatmap.overlay.as_ref().ok_or_else(missing)?);
    if let Some(what) = caption {
        let text = match heatmap.similarity {
            Some(cosine) => format!("similar {cosine:.3}"),
            None => format!("{} {:.1} %{what}", prediction.label, prediction.probability * 100.0),
        };
        caption::draw(overlay.to_mut(), &text);
    }
    let bytes = encode(output.format, overlay.width, overlay.height, &overlay.rgba)?;
    if output.is_stdout {
        let mut out = stdout().lock();
        let written = out.write_all(&bytes).and_then(|()| out.flush());
        let path = PathBuf::from("standard output");
        return written.map(|()| path.clone()).map_err(|source| Error::Write { path, source });
    }
    let path = output.file(image, prediction, map)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|source| Error::Write { path: folder.to_owned(), source })?;
    }
    write_atomically(&path, |out| out.write_all(&bytes))?;
    Ok(path)
}

fn line(p: &Prediction) -> String {
    let label = plain(&p.label);
    // Scores that are no logits have no probability.
    let score =
        if p.probability.is_nan() { format!("{:7.3}", p.logit) } else { format!("{:5.1} %", p.probability * 100.0) };
    format!("  {score}  {label} ({})", p.class)
}
