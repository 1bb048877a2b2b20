//! `gradcam explain`.

mod caption;
mod found;
mod how;
mod left_out;
mod npy;
mod output;
mod results;
mod run;
mod saved;
mod slow;
mod tensors;

use std::io::stdin;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use gradcam::model::Preprocess;
use gradcam::picture::{Ahead, Format, MAX_FILE, Turn, Window, ahead};
use gradcam::{Classes, Error, Method, Model, Outputs, Result, Style, files, memory};
use serde_json::{Map, Value};

use super::args::{ClassArgs, DeviceArgs, ModelArgs};
use super::say::{Failure, complain, say};
use found::{Input, STDIN, find};
use how::HowArgs;
use output::{Output, Wanted};
use results::{Image, Results};
use run::Run;
use saved::Saved;
use tensors::Tensors;

/// How many of the most probable classes are named.
const PREDICTIONS: usize = 3;

/// Show where a network saw a class
///
/// Explains each photo's most probable class, or the given classes, and draws the heat map over the photo. With --json
/// or --save-tensors, pictures are written only if --output is given.
#[derive(Args)]
pub struct Explain {
    /// Photos, or folders of photos with their sub-folders; - is one photo from standard input
    #[arg(value_name = "IMAGE|DIR")]
    images: Vec<PathBuf>,
    #[command(flatten, next_help_heading = "Network")]
    model: ModelArgs,
    #[command(flatten, next_help_heading = "Network")]
    meaning: ClassArgs,
    #[command(flatten, next_help_heading = "Explanation")]
    how: HowArgs,
    /// Class to explain, by number or label; may be given several times
    #[arg(short, long, value_name = "ID|LABEL", conflicts_with = "top", allow_hyphen_values = true)]
    #[arg(help_heading = "Explanation")]
    class: Vec<String>,
    /// Explain the K most probable classes; 1 if no class is named
    #[arg(short = 'k', long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=1000))]
    #[arg(help_heading = "Explanation")]
    top: Option<u32>,
    /// Where to write overlays: a .png or .jpg file for one photo, a folder for several, - for standard output;
    /// ./NAME.gradcam.png if not given. Files of that name, and links, are replaced
    #[arg(short, long, value_name = "PATH", help_heading = "Overlays")]
    output: Option<PathBuf>,
    /// Format of overlays whose names are not given; png if not given
    #[arg(long, value_name = "png|jpg", value_parser = ["png", "jpg"], hide_possible_values = true)]
    #[arg(help_heading = "Overlays")]
    format: Option<String>,
    /// Go on with a run that ended early: leave out photos whose overlays exist
    #[arg(long, conflicts_with = "save_tensors", help_heading = "Overlays")]
    skip_existing: bool,
    /// Opacity of the colours, 0 to 1; 0.5 if not given
    #[arg(long, help_heading = "Overlays")]
    alpha: Option<f32>,
    /// Colours of the heat map; jet if not given, or bwr (blue, white, red) for signed maps
    #[arg(long, value_name = "jet|turbo|viridis|inferno|gray|bwr", help_heading = "Overlays")]
    colormap: Option<String>,
    /// Which numbers of pictures beyond 8 bits are black and white: those of their type, of the picture, or two numbers
    #[arg(long, value_name = "full|auto|MIN,MAX", default_value = "full", hide_default_value = true)]
    #[arg(allow_hyphen_values = true, help_heading = "Preprocessing")]
    window: Window,
    /// Draw the class and its probability into the overlay
    #[arg(long, help_heading = "Overlays")]
    caption: bool,
    /// Print one object per image
    #[arg(long, help_heading = "Numbers")]
    json: bool,
    /// Write "logits" [N,C], "classes" [N,K], "cam" [N,K,h,w] and "heatmap" [N,K,H,W] to a file, row by row. Several
    /// methods make K maps of each class in turn. Several layers have no "cam". "ok" [N] is 0 for images that failed, whose rows are NaN; the metadata names them
    #[arg(long, value_name = "OUT.safetensors", help_heading = "Numbers")]
    save_tensors: Option<PathBuf>,
    /// Explain the tensor "input" [N,C,H,W] of a file, already normalised, instead of photos, or the array of a .npy
    /// file; a tensor of integers "classes" [N] or [N,K] in the same file gives the classes of each image
    #[arg(long, value_name = "IN.safetensors|IN.npy", conflicts_with_all = ["images", "output"], help_heading = "Numbers")]
    tensors: Option<PathBuf>,
    /// Print the speed and the load of the device at the end
    #[arg(long, help_heading = "Numbers")]
    timing: bool,
    #[command(flatten, next_help_heading = "Device")]
    device: DeviceArgs,
    /// Images per batch
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    #[arg(help_heading = "Device")]
    batch: u32,
}

impl Explain {
    pub fn run(self) -> Result<(), Failure> {
        let (usual, alpha) = self.how.usual_style();
        let alpha = self.alpha.unwrap_or(alpha);
        if !(0.0..=1.0).contains(&alpha) {
            return Err(Error::Request(format!("--alpha is {alpha}, not between 0 and 1")).into());
        }
        let methods = self.how.methods()?;
        let colormap = self.colormap.as_deref().map_or(Ok(usual), str::parse)?;
        let model = self.model.open_with(&self.meaning)?;
        let classes = match &self.class[..] {
            [] => Classes::Top(self.top.unwrap_or(1) as usize),
            chosen => Classes::Chosen(chosen.iter().map(|c| model.class(c)).collect::<Result<_>>()?),
        };
        let target = self.how.target(&model)?;
        // Errors in the request are found before a device is opened.
        let tensors = self.tensors.as_deref().map(|path| Tensors::open(path, &model)).transpose()?;
        if tensors.as_ref().is_some_and(|t| t.classes.is_some()) && (self.top.is_some() || !self.class.is_empty()) {
            return Err(Error::Request(
                "the file's \"classes\" already say what to explain; leave --class and --top out".into(),
            )
            .into());
        }
        let draws = self.draws()?;
        self.how.remark(&methods, &classes);
        let found = find(&self.images)?;
        found.errors.iter().for_each(complain);
        if tensors.is_none() && found.inputs.is_empty() {
            return Err(match found.errors.is_empty() {
                true => Error::Request("no photos given; name some, or a folder of them".into()).into(),
                false => Failure::Reported(2),
            });
        }
        let names: Arc<[String]> = match &tensors {
            Some(tensors) => (0..tensors.shape[0]).map(|i| format!("input[{i}]")).collect(),
            None => found.inputs.iter().map(|input| name(&input.path)).collect(),
        };
        let output = draws.then(|| self.output(&found.inputs, &classes, &methods, &model)).transpose()?;
        let weights = PathBuf::from(model.name());
        let read = found.inputs.iter().map(|input| &input.path).chain(&self.tensors).chain([&weights]);
        let mut about = about(&model);
        about.extend(self.how.about(&methods, &target));
        about.extend(self.model.region().map(|region| ("box".to_owned(), serde_json::json!(region))));
        let saved = self.save_tensors.as_deref().map(|path| Saved::new(path, names.clone(), about.clone(), read));
        let saved = saved.transpose()?;
        let explainer = self.how.explainer(model, target)?;
        let style = Style::default().alpha(alpha).colormap(colormap);
        let saves = saved.is_some();
        let outputs = Outputs::default().predictions(PREDICTIONS).logits(saves).raw(saves).heatmap(saves);
        let outputs = outputs.overlay(draws.then_some(style)).clock(self.timing);

        let mut results = Results::new(&explainer, about, output, saved, self.json, self.caption);
        results.worst = if found.errors.is_empty() { 0 } else { 2 };
        let todo: Vec<usize> = (0..names.len()).filter(|i| !(self.skip_existing && results.exists(*i))).collect();
        results.begin(todo.len());
        if !todo.is_empty() {
            let opened = Some(Instant::now());
            let explainer = self.how.similar(explainer.on(self.device.open()?), self.window)?;
            let most = memory::free().map_or(u64::MAX, |free| free / 8);
            let mut run = Run { explainer, outputs, classes, results, busy: vec![], most, opened };
            let begin = Instant::now();
            let ended = match &tensors {
                Some(tensors) => run.tensors(tensors, &names, self.batch as usize),
                None => {
                    let paths = todo.iter().map(|i| found.inputs[*i].path.clone()).collect();
                    let photos = photos(paths, &run.explainer.model().preprocess, self.window, draws);
                    run.photos(photos, todo.iter().map(|i| Image::new(*i, &names)), self.batch as usize)
                }
            };
            run.results.end(ended)?;
            if self.timing {
                run.timing(begin.elapsed().as_secs_f64());
            }
            results = run.results;
        }
        found.remarks.iter().for_each(|remark| say(remark));
        if todo.len() < names.len() {
            say(&format!("left out {} of {} photos, whose overlays exist", names.len() - todo.len(), names.len()));
        }
        results.close()
    }

    /// Whether overlays are drawn.
    fn draws(&self) -> Result<bool> {
        let is_stdout = self.output.as_ref().is_some_and(|path| path.as_os_str() == STDIN);
        if is_stdout && (self.json || self.skip_existing) {
            let other = if self.json { "--json" } else { "--skip-existing" };
            return Err(Error::Request(format!("{other} cannot be used with --output -; name a file")));
        }
        let numbers = self.json || self.save_tensors.is_some() || self.tensors.is_some();
        let draws = self.output.is_some() || !numbers;
        let styles =
            [("--caption", self.caption), ("--format", self.format.is_some()), ("--skip-existing", self.skip_existing)];
        match styles.into_iter().find(|(_, given)| *given) {
            Some((style, _)) if !draws => Err(Error::Request(format!("{style} is for overlays; give --output too"))),
            _ => Ok(draws),
        }
    }

    fn output(&self, photos: &[Input], classes: &Classes, methods: &[Method], model: &Model) -> Result<Output> {
        let classes = match classes {
            Classes::Chosen(chosen) => chosen.len(),
            _ => self.top.unwrap_or(1) as usize,
        };
        let format = self.format.as_ref().and_then(|ending| Format::of(&Path::new("x").with_extension(ending)));
        let is_one = matches!(&self.images[..], [path] if !path.is_dir());
        Output::new(&Wanted { output: self.output.as_deref(), format, classes, methods }, photos, is_one, model)
    }
}

/// What the model is, for results: its architecture, how photos are prepared, and who said so.
fn about(model: &Model) -> Map<String, Value> {
    match serde_json::to_value(model.description()) {
        Ok(Value::Object(about)) => about,
        _ => unreachable!("a description is an object"),
    }
}

/// What a photo is called.
fn name(path: &Path) -> String {
    if path.as_os_str() == STDIN { "standard input".into() } else { path.display().to_string() }
}

/// Decodes photos, ahead on threads, and makes the network's input of them. Only overlays need their pixels.
fn photos(paths: Vec<PathBuf>, preprocess: &Preprocess, window: Window, draws: bool) -> Ahead {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let preprocess = preprocess.clone();
    ahead(paths, threads, move |path: &PathBuf, turn: &Turn<'_>| {
        let photo = if path.as_os_str() == STDIN {
            let name = name(path);
            let bytes = files::read_from(stdin().lock(), Path::new(&name), MAX_FILE)?;
            turn.decode(&name, &bytes, window)
        } else {
            turn.open(path, window)
        };
        photo.map(|photo| if draws { photo.prepared(&preprocess) } else { photo.without_pixels(&preprocess) })
    })
}
