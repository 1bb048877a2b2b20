//! Folds batch norms into the convolutions before them.

use super::{Conv2d, Graph, NodeId, Op, Param};

/// Replaces every `ScaleShift` that is the only reader of a convolution by that convolution with scaled weights: `s ·
/// (W∗x + b) + t = (s·W)∗x + (s·b + t)`. Convolutions in `keep` are not folded, because their own output is
/// requested.
pub fn fold(graph: &mut Graph, keep: &[NodeId]) {
    let mut readers = vec![0; graph.nodes.len()];
    graph.nodes.iter().flat_map(|n| &n.inputs).for_each(|&i| readers[i] += 1);
    for id in 0..graph.nodes.len() {
        let Op::ScaleShift { scale, shift } = graph.nodes[id].op else { continue };
        let before = graph.nodes[id].inputs[0];
        let Op::Conv2d(conv) = graph.nodes[before].op.clone() else { continue };
        if readers[before] > 1 || keep.contains(&before) {
            continue;
        }
        let folded = Folded { conv: &conv, scale: &graph.params[scale], shift: shift.map(|s| &graph.params[s]) };
        let (weight, bias) = (folded.weight(graph), folded.bias(graph));
        let op = Conv2d { weight: graph.param(weight), bias: bias.map(|b| graph.param(b)), ..conv };
        graph.nodes[id].inputs = graph.nodes[before].inputs.clone();
        graph.nodes[id].op = Op::Conv2d(op);
    }
}

struct Folded<'a> {
    conv: &'a Conv2d,
    scale: &'a Param,
    shift: Option<&'a Param>,
}

impl Folded<'_> {
    /// `s · W`. The product is computed when the values are read.
    fn weight(&self, graph: &Graph) -> Param {
        let weight = &graph.params[self.conv.weight];
        let scale = &self.scale.values;
        let row_scale = match &weight.row_scale {
            None => scale.clone(),
            Some(first) => first.iter().zip(scale.iter()).map(|(a, b)| a * b).collect(),
        };
        let name = format!("{} × {}", weight.name, self.scale.name);
        Param { name, row_scale: Some(row_scale), ..weight.clone() }
    }

    /// `s · b + t`, or nothing if there is neither `b` nor `t`.
    fn bias(&self, graph: &Graph) -> Option<Param> {
        let bias = self.conv.bias.map(|b| &graph.params[b]);
        let like = bias.or(self.shift)?;
        let at = |p: Option<&Param>, i: usize| p.map_or(0.0, |p| p.values[i]);
        let values = self.scale.values.iter().enumerate().map(|(i, s)| s * at(bias, i) + at(self.shift, i)).collect();
        let name = format!("{} × {} + {}", like.name, self.scale.name, self.shift.map_or("", |s| &s.name));
        Some(Param::new(name, vec![self.conv.out_channels], values))
    }
}
