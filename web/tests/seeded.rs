//! Writes an architecture with numbers from a formula as a weights file: `seeded NAME FILE`. The page and the program explain it.

use std::error::Error;

use gradcam::Model;
use safetensors::tensor::{Dtype, TensorView};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, file] = &arguments[..] else { return Err("usage: seeded NAME FILE".into()) };
    let model = Model::seeded(name, 1000, 1.0)?;
    let tensors = model.tensors();
    let views = tensors
        .iter()
        .map(|(name, shape, values)| {
            Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values))?))
        })
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
    safetensors::serialize_to_file(views, Some(model.metadata()), file.as_ref())?;
    Ok(())
}
