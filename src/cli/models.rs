//! `gradcam models`.

use std::io::{Write, stdout};

use clap::Args;
use gradcam::ModelOptions;
use gradcam::model::{
    models,
    zoo::{Architecture, architectures},
};
use serde_json::json;

use super::args::ModelArgs;
use super::say::{Failure, plain, print_json};

/// List the models that need no file, and the architectures that files may have
#[derive(Args)]
pub struct Models {
    #[command(flatten)]
    model: ModelArgs,
    /// List the classes of --model instead
    #[arg(long)]
    labels: bool,
    /// Print an object
    #[arg(long)]
    json: bool,
}

impl Models {
    pub fn run(self) -> Result<(), Failure> {
        let mut out = stdout().lock();
        if self.labels {
            let model = self.model.open()?;
            let labels: Vec<String> = (0..model.classes()).map(|c| model.label(c)).collect();
            if self.json {
                return print_json(&labels);
            }
            for (class, label) in labels.iter().enumerate() {
                writeln!(out, "{class:>5}  {}", plain(label))?;
            }
            return Ok(());
        }
        if self.json {
            let row = |a: &Architecture| {
                let size = a.size()?;
                Ok(
                    json!({"name": a.name, "library": a.library, "default_layer": a.default_layer, "size": a.size, "family": a.family,
                          "parameters": size.parameters, "multiply_adds": size.multiply_adds}),
                )
            };
            let architectures = architectures().map(row).collect::<gradcam::Result<Vec<_>>>()?;
            let bundled: Vec<&str> = models().collect();
            return print_json(&json!({"bundled": bundled, "architectures": architectures}));
        }
        for name in models() {
            let model = gradcam::Model::open(name, &ModelOptions::default())?;
            writeln!(out, "{name}  bundled: {}", model.provenance().unwrap_or(model.architecture()))?;
        }
        writeln!(out, "\nArchitectures of --model FILE.safetensors, with their default layers:")?;
        for a in architectures() {
            writeln!(out, "{:28} {:12} {}", a.name, a.library.to_string(), a.default_layer)?;
        }
        Ok(())
    }
}
