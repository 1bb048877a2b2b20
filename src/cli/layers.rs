//! `gradcam layers`.

use std::io::{Write, stdout};

use clap::Args;
use gradcam::model::Layer;
use serde_json::json;

use super::args::ModelArgs;
use super::say::{Failure, print_json};

/// List every layer that can be explained, with its shape, and mark the default one
#[derive(Args)]
pub struct Layers {
    #[command(flatten)]
    model: ModelArgs,
    /// Print an array of objects
    #[arg(long)]
    json: bool,
}

impl Layers {
    pub fn run(self) -> Result<(), Failure> {
        let model = self.model.open()?;
        let layers = model.layers()?;
        if self.json {
            let row = |Layer { path, channels, height, width }: &Layer| json!({"layer": path, "shape": [channels, height, width], "default": *path == model.default_layer()});
            return print_json(&layers.iter().map(row).collect::<Vec<_>>());
        }
        let longest = layers.iter().map(|layer| layer.path.len()).max().unwrap_or(0);
        let mut out = stdout().lock();
        for Layer { path, channels, height, width } in layers {
            let mark = if path == model.default_layer() { "  (default)" } else { "" };
            writeln!(out, "{path:longest$}  {channels} × {height} × {width}{mark}")?;
        }
        Ok(())
    }
}
