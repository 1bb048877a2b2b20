//! A graph with the expected values of its outputs.

use serde::{Deserialize, Serialize};

use super::net::{Net, half};
use super::variants::Scope;
use crate::graph::{Graph, Kind, NodeId};
use crate::kernels::Profile;
use crate::reference::{self, Value};

/// The part of the path from pixels to overlays that an output belongs to. Each has its own unit of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Single operations and short chains of them; relative to the largest value.
    Ops,
    /// Class scores of a network, and selected classes; relative to the largest value.
    Logits,
    /// Raw maps of a network; relative to the largest value.
    Map,
    /// Heat maps in 0..1; absolute.
    Heatmap,
    /// Overlays, in steps of a byte.
    Overlay,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 5] = [Self::Ops, Self::Logits, Self::Map, Self::Heatmap, Self::Overlay];

    /// Name for the head of a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ops => "ops",
            Self::Logits => "logits",
            Self::Map => "raw map",
            Self::Heatmap => "heat map",
            Self::Overlay => "overlay",
        }
    }

    /// The greatest error of `found`, in the stage's unit. If a difference is not finite, or the lengths differ, it
    /// is `f64::MAX`.
    pub(super) fn error(self, found: &[f64], truth: &[f64]) -> f64 {
        let scale = match self {
            Self::Ops | Self::Logits | Self::Map => truth.iter().fold(1e-30, |m: f64, v| m.max(v.abs())),
            Self::Heatmap | Self::Overlay => 1.0,
        };
        if found.len() != truth.len() {
            return f64::MAX;
        }
        let differences = found.iter().zip(truth).map(|(f, t)| if f == t { 0.0 } else { (f - t).abs() / scale });
        differences.fold(0.0, |m, d| if d.is_finite() { m.max(d) } else { f64::MAX })
    }
}

/// The expected value of an output.
pub struct Check {
    /// The output: numbers or pixels.
    pub node: NodeId,
    /// The stage that the output belongs to.
    pub stage: Stage,
    /// The greatest error that passes, in the stage's unit.
    pub tolerance: f64,
    /// PyTorch's values, if there are any.
    pub pytorch: Option<Sampled>,
}

/// Stored numbers: every `step`th row and column of each plane.
pub struct Sampled {
    pub step: usize,
    pub values: Vec<f64>,
}

/// A graph with its inputs, and checks of its outputs.
pub struct Case {
    /// Its name.
    pub name: String,
    pub(super) graph: Graph,
    pub(super) inputs: Vec<(NodeId, Vec<u8>)>,
    pub(super) checks: Vec<Check>,
    /// Changes a device's profile so that the plan uses the kernels that the case tests.
    pub(super) force: fn(Profile) -> Profile,
    /// The variants that run the case.
    pub(super) scope: Scope,
}

impl Case {
    /// A case that checks `values` of a small graph.
    pub fn of(name: impl Into<String>, tolerance: f64, mut net: Net, values: &[NodeId]) -> Self {
        let check = |&value: &NodeId| {
            let plain = net.graph.nodes[value].ty.kind != Kind::Features;
            let node = if plain { value } else { net.unpack(value) };
            Check { node, stage: Stage::Ops, tolerance, pytorch: None }
        };
        let checks = values.iter().map(check).collect();
        let inputs = net.inputs.into_iter().map(|(id, v)| (id, bytemuck::cast_slice(&v).to_vec())).collect();
        Self { name: name.into(), graph: net.graph, inputs, checks, force: |profile| profile, scope: Scope::Kernels }
    }

    /// The same case with its profiles changed by `force`.
    pub fn forced(self, force: fn(Profile) -> Profile) -> Self {
        Self { force, ..self }
    }

    /// The same case for the variants of `scope`.
    pub fn within(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The same case with inputs that f16 can hold, so that kernels which round to f16 have the same expected values.
    pub fn of_halves(self) -> Self {
        let round = |bytes: Vec<u8>| {
            let numbers = bytemuck::pod_collect_to_vec::<_, f32>(&bytes);
            numbers.into_iter().flat_map(|number| half(number).to_ne_bytes()).collect()
        };
        let inputs = self.inputs.into_iter().map(|(id, bytes)| (id, round(bytes))).collect();
        Self { inputs, scope: Scope::Halves, ..self }
    }

    /// Outputs, in the order of the checks.
    pub(super) fn outputs(&self) -> Vec<NodeId> {
        self.checks.iter().map(|check| check.node).collect()
    }

    /// The values of `nodes` by the CPU reference.
    pub(super) fn truth(&self, nodes: &[NodeId]) -> Vec<Value> {
        let value = |(id, bytes): &(NodeId, Vec<u8>)| (*id, value(self.graph.nodes[*id].ty.kind, bytes));
        let inputs: Vec<(NodeId, Value)> = self.inputs.iter().map(value).collect();
        reference::evaluate(&self.graph, &inputs, nodes)
    }

    /// The error of each check. `found` and `truth` are in the order of the checks.
    ///
    /// The error is the larger of those against the CPU reference, if it is given, and against PyTorch's values, if
    /// there are any.
    pub(super) fn errors(&self, found: &[Value], truth: Option<&[Value]>) -> Vec<f64> {
        let error = |(i, check): (usize, &Check)| {
            let found = numbers(&found[i]);
            let of_truth = truth.map(|truth| check.stage.error(&found, &numbers(&truth[i])));
            let of_pytorch = check.pytorch.as_ref().map(|pytorch| {
                let [_, _, h, w] = self.graph.shape(check.node);
                let rows = found.chunks(w).enumerate().filter(|(row, _)| (row % h).is_multiple_of(pytorch.step));
                let sampled: Vec<f64> = rows.flat_map(|(_, row)| row.iter().copied().step_by(pytorch.step)).collect();
                check.stage.error(&sampled, &pytorch.values)
            });
            of_truth.into_iter().chain(of_pytorch).fold(0.0, f64::max)
        };
        self.checks.iter().enumerate().map(error).collect()
    }
}

/// A value from its bytes.
pub fn value(kind: Kind, bytes: &[u8]) -> Value {
    match kind {
        Kind::Pixels => Value::Pixels(bytes.to_vec()),
        _ => Value::Numbers(bytemuck::pod_collect_to_vec::<_, f32>(bytes).into_iter().map(f64::from).collect()),
    }
}

/// A value's numbers, or a picture's bytes.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Numbers(numbers) => numbers.clone(),
        Value::Pixels(bytes) => bytes.iter().copied().map(f64::from).collect(),
    }
}
