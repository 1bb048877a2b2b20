//! `gradcam layers`.

use std::io::{Write, stdout};

use clap::Args;
use gradcam::{Device, Explainer};
use serde_json::json;

use super::args::ModelArgs;
use super::say::{Failure, print_json};

/// List every layer that can be explained, with its shape; the default is marked
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
        let explainer = Explainer::new(self.model.open()?, Device::Cpu);
        let network = explainer.network()?;
        let layers = network.modules.iter().map(|(path, node)| (path, network.graph.shape(*node)));
        if self.json {
            let row = |(path, [_, c, h, w]): (&String, [usize; 4])| json!({"layer": path, "shape": [c, h, w], "default": *path == explainer.layers()[0]});
            return print_json(&layers.map(row).collect::<Vec<_>>());
        }
        let width = network.modules.iter().map(|(path, _)| path.len()).max().unwrap_or(0);
        let mut out = stdout().lock();
        for (path, [_, c, h, w]) in layers {
            let mark = if *path == explainer.layers()[0] { "  (default)" } else { "" };
            writeln!(out, "{path:width$}  {c} × {h} × {w}{mark}")?;
        }
        Ok(())
    }
}
