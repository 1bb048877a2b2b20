//! A file's tensors under the names that PyTorch gives them.

use std::collections::BTreeMap;

use super::super::weights::Tensor;
use super::file::{File, Node};
use super::names::path;
use super::ops::linear::transposed;
use super::tensor::{Constant, Numbers};

/// The numbers that these operators have as operands.
pub fn tensors(file: &File, order: &[usize]) -> Vec<Tensor> {
    let mut tensors = BTreeMap::new();
    for node in order.iter().map(|at| &file.nodes[*at]) {
        for (i, input) in node.inputs.iter().enumerate() {
            let Some(constant) = file.constants.get(input) else { continue };
            // PyTorch's older exporter copies one of equal tensors to the names of the others.
            let input = node.outputs.first().filter(|_| node.op == "Identity").unwrap_or(input);
            if let Numbers::Floats(_) = constant.numbers {
                let (name, constant) = called(node, i, input, constant);
                tensors.entry(name).or_insert(constant);
            }
        }
    }
    tensors.into_iter().map(|(name, constant)| (name, constant.dims.clone(), constant.to_floats())).collect()
}

/// PyTorch's exporters drop the name of a tensor that they change, by a norm that they fold in or a transposition. Of equal
/// tensors the newer one keeps one. Then a tensor's name is that of the operator's module, with its part in it.
fn called(node: &Node, i: usize, name: &str, constant: &Constant) -> (String, Constant) {
    let Some(path) = path(node) else { return (name.to_owned(), constant.clone()) };
    if name.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.')) {
        return (name.to_owned(), constant.clone());
    }
    let is_anonymous = name.starts_with("onnx::") || name.starts_with("val_");
    let is_turned = node.op == "MatMul" || (node.op == "Gemm" && i == 1 && node.int("transB", 0) == 0);
    let turned = if is_anonymous && is_turned { transposed(constant).ok() } else { None };
    let part = match name.rsplit_once('.') {
        Some((_, part)) if !is_anonymous => part,
        _ if i == 1 => "weight",
        _ => "bias",
    };
    (format!("{path}.{part}"), turned.unwrap_or_else(|| constant.clone()))
}
