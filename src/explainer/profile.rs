//! Time per layer and stage.

use super::recipe::Built;
use crate::gpu::Timed;
use crate::graph::{Graph, NodeId, Op, ParamId};

/// A stage of the computation from images to maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stage {
    /// Converts images to the network's input.
    Preprocess,
    /// Runs the network, up to its scores.
    Forward,
    /// From the choice of classes back to the target layers.
    Backward,
    /// From activations and gradients to maps. Overlays have a plan of their own, which is not timed.
    Tail,
}

/// A layer, or a node of the backward pass or the tail, with its cost.
#[derive(Clone, Debug, serde::Serialize)]
pub struct LayerTime {
    /// Module path of a layer with weights, or two paths if one kernel computes both. A gradient has a prime. Other
    /// nodes have the name of the kernel.
    pub name: String,
    /// The stage it belongs to.
    pub stage: Stage,
    /// The first three different kernels that computed it, with the options chosen for them, such as tiles.
    pub kernels: String,
    /// Multiply-adds by definition, whatever the algorithm.
    pub multiply_adds: u64,
    /// Its time by the device's clock.
    pub seconds: f64,
}

/// Adds up the dispatches of each node.
pub fn layers(built: &Built, dispatches: &[Timed]) -> Vec<LayerTime> {
    let graph = &built.graph;
    let of_node = |timed: &[Timed]| {
        let nodes = || timed[0].before.iter().copied().chain([timed[0].node]);
        let modules: Vec<String> = nodes().filter_map(|id| name(graph, id)).collect();
        let mut kernels: Vec<String> = timed.iter().map(kernel).collect();
        kernels.dedup();
        kernels.truncate(3);
        LayerTime {
            name: if modules.is_empty() { timed[0].shader.to_owned() } else { modules.join(" + ") },
            stage: stage(built, timed[0].node),
            kernels: kernels.join(", "),
            multiply_adds: nodes().map(|id| graph.multiply_adds(id)).sum(),
            seconds: timed.iter().map(|t| t.seconds).sum(),
        }
    };
    dispatches.chunk_by(|a, b| a.node == b.node).map(of_node).collect()
}

/// The stage of a kernel, by its own node. Other nodes that it computes count there too.
fn stage(built: &Built, node: NodeId) -> Stage {
    let [backward, tail] = built.stages;
    match built.graph.nodes[node].op {
        Op::Pack | Op::Normalise { .. } => Stage::Preprocess,
        _ if node < backward => Stage::Forward,
        _ if node < tail => Stage::Backward,
        _ => Stage::Tail,
    }
}

/// A shader, and the tile chosen for it.
fn kernel(timed: &Timed) -> String {
    let define = |name: &str| timed.defines.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
    let pixels = define("PIXELS").map(|pixels| pixels * define("ACROSS").unwrap_or(1));
    let tile = pixels.map(|pixels| match define("BLOCKS") {
        Some(blocks) => format!(" {blocks}×{pixels}"),
        None => format!(" {pixels}"),
    });
    let shares = if define("SUBGROUP").is_some() { " subgroup" } else { "" };
    format!("{}{}{shares}", timed.shader, tile.unwrap_or_default())
}

fn name(graph: &Graph, node: NodeId) -> Option<String> {
    let module = |p: ParamId| graph.params[p].name.split(".weight").next().unwrap_or_default().to_owned();
    match &graph.nodes[node].op {
        Op::Conv2d(conv) => Some(module(conv.weight)),
        Op::Conv2dGrad { conv, .. } => Some(module(conv.weight) + "'"),
        Op::Linear(linear) => Some(module(linear.weight)),
        Op::LinearGrad { linear, .. } => Some(module(linear.weight) + "'"),
        _ => None,
    }
}
