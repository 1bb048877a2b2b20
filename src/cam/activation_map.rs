//! The mean of the activations, as OpenVINO's ActivationMap: where a layer sees anything, whatever the class.

use super::method::{Layer, Row};
use crate::graph::{Conv2d, Graph, GraphError, NodeId, Op, Param, Window};

pub const ROW: Row = Row { name: "activation-map", rule: None, raw, ..Row::USUAL };

/// `mean_k A_k`.
fn raw(graph: &mut Graph, layer: &Layer) -> Result<NodeId, GraphError> {
    let [_, c, ..] = graph.shape(layer.activations);
    let share = vec![1.0 / c as f32; c];
    let weight = graph.param(Param::new(format!("mean of {c} channels"), vec![1, c, 1, 1], share.into()));
    let mean = Conv2d { weight, bias: None, out_channels: 1, window: Window::square(1, 1, 0), groups: 1 };
    graph.push(Op::Conv2d(mean), &[layer.activations])
}
