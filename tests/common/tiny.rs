//! A network's file that is explained in a few milliseconds.

use std::sync::Arc;

use gradcam::graph::{Builder, Graph, Kind, Op, ParamSource};
use gradcam::model::zoo::architectures;
use gradcam::model::{Tensor, seeded};
use safetensors::tensor::{Dtype, TensorView, serialize};

/// Collects the tensors that a network asks for.
struct Collected(Vec<Tensor>);

impl ParamSource for Collected {
    fn get(&mut self, name: &str, shape: &[usize]) -> Arc<[f32]> {
        let values = seeded::tensor(name, shape, 1.0);
        self.0.push((name.to_owned(), shape.to_vec(), values.clone()));
        values
    }
}

/// SqueezeNet with ten classes for images of 26 × 26, with weights from a formula.
pub fn file() -> Vec<u8> {
    let mut graph = Graph::default();
    let input = graph.input(Kind::Plain, [1, 3, 26, 26]);
    let x = graph.push(Op::Pack, &[input]).unwrap();
    let mut tensors = Collected(vec![]);
    let architecture = architectures().find(|a| a.name == "squeezenet1_1").unwrap();
    (architecture.build)(&mut Builder::new(graph, &mut tensors), x, 10).unwrap();
    let views = tensors.0.iter().map(|(name, shape, values)| {
        (name, TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values)).unwrap())
    });
    let metadata = [
        ("architecture", "squeezenet1_1"),
        ("input_size", "[3, 26, 26]"),
        ("crop_pct", "0.875"),
        ("interpolation", "bilinear"),
        ("mean", "0.5"),
        ("std", "0.5"),
    ];
    serialize(views, Some(metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into())).unwrap()
}
