//! Numbers that operators are given, whether their other operands are constants or depend on the image.

use super::file::Node;
use super::tensor::Constant;

/// The bounds of `Clip`.
pub fn limits(node: &Node, operands: &[Option<&Constant>]) -> [f32; 2] {
    [("min", 1, f32::NEG_INFINITY), ("max", 2, f32::INFINITY)].map(|(name, i, none)| {
        operands.get(i).copied().flatten().and_then(Constant::only).unwrap_or_else(|| node.float(name, none))
    })
}

/// Whether a batch norm takes the mean and variance of its operand.
pub fn trains(node: &Node) -> bool {
    node.int("training_mode", 0) != 0 || node.outputs.iter().skip(1).any(|name| !name.is_empty())
}

/// Factors and summands of a batch norm.
///
/// # Errors
/// A norm that was exported for training.
pub fn batch_norm(node: &Node, operands: &[Option<&Constant>]) -> Result<[Vec<f32>; 2], String> {
    if trains(node) {
        return Err("was exported for training; call model.eval() before the export".into());
    }
    let vector = |i: usize| operands.get(i).copied().flatten().map(Constant::to_floats).ok_or("lacks its numbers");
    let (gamma, beta, mean, var) = (vector(1)?, vector(2)?, vector(3)?, vector(4)?);
    if [beta.len(), mean.len(), var.len()].iter().any(|len| *len != gamma.len()) {
        return Err("has vectors of different lengths".into());
    }
    let eps = node.float("epsilon", 1e-5);
    let scale: Vec<f32> = gamma.iter().zip(var.iter()).map(|(g, v)| g / (v + eps).sqrt()).collect();
    let shift = (0..scale.len()).map(|c| beta[c] - mean[c] * scale[c]).collect();
    Ok([scale, shift])
}

/// Factors and summands of a batch norm by the mean and variance of its own operand.
pub fn own_statistics(
    node: &Node,
    operands: &[Option<&Constant>],
    numbers: &[f32],
    channels: usize,
    plane: usize,
) -> Result<[Vec<f32>; 2], String> {
    let vector = |i: usize| operands.get(i).copied().flatten().map(Constant::to_floats).ok_or("lacks its numbers");
    let (gamma, beta, eps) = (vector(1)?, vector(2)?, f64::from(node.float("epsilon", 1e-5)));
    if gamma.len() != channels || beta.len() != channels || plane == 0 {
        return Err("has vectors that do not fit".into());
    }
    let of = |channel: usize| {
        let own = || numbers.chunks(plane).skip(channel).step_by(channels).flatten().map(|n| f64::from(*n));
        let count = own().count() as f64;
        let mean = own().sum::<f64>() / count;
        let variance = own().map(|n| (n - mean) * (n - mean)).sum::<f64>() / count;
        let scale = f64::from(gamma[channel]) / (variance + eps).sqrt();
        (scale as f32, (f64::from(beta[channel]) - mean * scale) as f32)
    };
    let (scale, shift) = (0..channels).map(of).unzip();
    Ok([scale, shift])
}
