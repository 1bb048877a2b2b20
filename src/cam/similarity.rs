//! What makes an image similar to another: the cosine of their embeddings, and its derivative.

use super::target::Begin;
use crate::graph::{Activation, Arithmetic, Graph, GraphError, NodeId, Op, Param};

/// How far a cosine may be from 1 for embeddings that count as equal.
const SAME: f32 = 5e-7;

/// A target's number for each image, `[n,1,1,1]`, and where its backward pass begins.
pub struct Similarity {
    /// The cosine, -1 to 1.
    pub cosine: NodeId,
    /// The backward pass from the embeddings.
    pub begin: Begin,
}

/// Appends the cosine of the embeddings `e`, `[n,c,1,1]`, with `reference`, and its derivative `(r − cos · e/|e|) / |e|`, where `r` is
/// the reference's unit vector.
///
/// # Errors
/// [`GraphError::Shape`] if the reference has another size.
pub fn similarity(graph: &mut Graph, embedding: NodeId, reference: &[f32]) -> Result<Similarity, GraphError> {
    let [_, c, ..] = graph.shape(embedding);
    if reference.len() != c {
        let reason = format!("{} numbers, and the embedding has {c}", reference.len());
        return Err(GraphError::Shape { op: "similarity".into(), module: String::new(), reason });
    }
    let multiply = Op::Broadcast(Arithmetic::Multiply);
    let length = reference.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-30);
    let unit: Vec<f32> = reference.iter().map(|v| v / length).collect();
    // Its name tells it from others, because the device keeps tensors by their names.
    let print =
        unit.iter().fold(0u64, |print, v| print.rotate_left(5) ^ u64::from(v.to_bits()).wrapping_mul(0x9e37_79b9));
    let values = graph.param(Param::new(format!("reference {print:x} of {c}"), vec![c], unit.into()));
    let reference = graph.push(Op::Constant { values, shape: [c, 1, 1] }, &[])?;
    let square = graph.push(multiply.clone(), &[embedding, embedding])?;
    let square = graph.summed(square)?;
    let length = graph.push(Op::Activate(Activation::Sqrt), &[square])?;
    let inverse = graph.push(Op::Activate(Activation::Reciprocal), &[length])?;
    let unit = graph.push(multiply.clone(), &[embedding, inverse])?;
    let product = graph.push(multiply.clone(), &[unit, reference])?;
    let cosine = graph.summed(product)?;
    let along = graph.push(multiply.clone(), &[unit, cosine])?;
    let less = graph.scaled(along, -1.0, 0.0)?;
    let across = graph.push(Op::Broadcast(Arithmetic::Add), &[less, reference])?;
    let slope = graph.push(multiply.clone(), &[across, inverse])?;
    // Between equal embeddings rounding is all that is left of it, so it becomes 0.
    let apart = graph.scaled(cosine, -1.0, 1.0 - SAME)?;
    let ones = graph.scaled(apart, 0.0, 1.0)?;
    let differs = graph.push(Op::ActivateGrad(Activation::Relu), &[ones, apart])?;
    let seed = graph.push(multiply, &[slope, differs])?;
    Ok(Similarity { cosine, begin: Begin { node: embedding, seed } })
}

/// The embeddings that the class scores are a linear function of: `[n,c,1,1]`, if the network has any. Scores that are a global mean
/// are embeddings themselves.
pub fn embedding(graph: &Graph, logits: NodeId) -> Option<NodeId> {
    let mut at = logits;
    loop {
        let input = *graph.nodes[at].inputs.first()?;
        match graph.nodes[at].op {
            Op::Linear(_) => return (graph.shape(input)[2..] == [1, 1]).then_some(input),
            Op::Mean => return Some(logits),
            Op::Activate(_) | Op::ScaleShift { .. } | Op::Rearrange(_) => at = input,
            _ => return None,
        }
    }
}
