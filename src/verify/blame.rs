//! Finds the kernel at fault when a case disagrees.

use std::collections::BTreeSet;

use super::case::{Case, Stage, numbers, value};
use crate::error::Result;
use crate::gpu::{Gpu, Session};
use crate::graph::{Kind, NodeId};
use crate::plan::Plan;
use crate::reference::Value;

/// Tolerance relative to the largest value, for one kernel. Winograd's transforms lose digits by cancellation.
const TOLERANCE: f64 = 1e-5;
/// Tolerance for pictures, in steps of a byte.
const STEPS: f64 = 3.0;

/// Runs the plan again, one dispatch at a time, each on values of the CPU reference. Returns the shaders of the first
/// value that disagrees.
pub fn blame(gpu: &Gpu, session: &Session, plan: &Plan, case: &Case) -> Result<Option<String>> {
    let made: BTreeSet<NodeId> = plan.dispatches.iter().filter_map(|d| d.written()).collect();
    let nodes: Vec<NodeId> = made.into_iter().filter(|&node| node < case.graph.nodes.len()).collect();
    let truth = case.truth(&nodes);
    let inputs: Vec<(NodeId, &[u8])> = case.inputs.iter().map(|(id, bytes)| (*id, &bytes[..])).collect();
    let mut guilty = None;
    let judge = |node: NodeId, bytes: Vec<u8>| {
        let kind = case.graph.nodes[node].ty.kind;
        let truth = &truth[nodes.binary_search(&node).expect("the truth of every node")];
        let (stage, tolerance) = if kind == Kind::Pixels { (Stage::Overlay, STEPS) } else { (Stage::Ops, TOLERANCE) };
        if stage.error(&numbers(&value(kind, &bytes)), &numbers(truth)) > tolerance {
            guilty.get_or_insert(node);
        }
        match truth {
            Value::Numbers(numbers) => numbers.iter().flat_map(|v| (*v as f32).to_ne_bytes()).collect(),
            Value::Pixels(bytes) => bytes.clone(),
        }
    };
    pollster::block_on(session.trace(gpu, &case.graph, plan, &inputs, judge))?;
    Ok(guilty.map(|node| shaders(plan, node)))
}

/// The shaders that make a value. There are several if more than one dispatch writes it, or if a kernel goes through
/// scratch memory.
pub fn shaders(plan: &Plan, value: NodeId) -> String {
    let writes = |node: NodeId| plan.dispatches.iter().any(|d| d.node == node && d.written() == Some(value));
    let mut names: Vec<&str> = plan.dispatches.iter().filter(|d| writes(d.node)).map(|d| d.shader).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
