//! `gradcam layers`.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use gradcam::files::write_atomically;
use gradcam::model::Layer;
use gradcam::{Error, Model, Result};
use safetensors::{Dtype, serialize, tensor::TensorView};
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
    /// Also write the model's weights to this file: as f32, under PyTorch's names, with how photos are prepared
    #[arg(long, value_name = "OUT.safetensors")]
    export_safetensors: Option<PathBuf>,
}

impl Layers {
    pub fn run(self) -> Result<(), Failure> {
        let model = self.model.open()?;
        let layers = model.layers()?;
        if let Some(path) = &self.export_safetensors {
            export(&model, path)?;
        }
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

/// Writes a model's tensors, with what is known of the model as metadata.
fn export(model: &Model, path: &Path) -> Result<()> {
    if path.canonicalize().is_ok_and(|path| Path::new(model.name()).canonicalize().is_ok_and(|own| own == path)) {
        return Err(Error::Request(format!("{}: is the model itself; choose another file", path.display())));
    }
    let tensors = model.tensors();
    let views = tensors.iter().map(|(name, shape, values)| {
        TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values)).map(|view| (name, view))
    });
    let bytes = views.collect::<Result<Vec<_>, _>>().and_then(|views| serialize(views, Some(model.metadata())));
    write_atomically(path, |out| out.write_all(&bytes.map_err(std::io::Error::other)?))
}
