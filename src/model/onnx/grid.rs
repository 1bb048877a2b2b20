//! How a layer's numbers come into the image's rows and columns, where they do not lie so.

use super::lower::Value;
use super::view::View;
use crate::graph::{Digit, Graph, NodeId, Op, Rearrange, Side};

/// What brings a value into rows and columns: a feature map whose pixels lie in one row, and tokens, which come back into the
/// grid of patches that they were made of. Tokens before them, such as the class's, stand for no patch and are left out. The
/// caller may know the `patches`.
pub fn grid(graph: &Graph, patches: Option<[usize; 2]>, value: &Value) -> Option<Rearrange> {
    let [_, c, h, w] = graph.shape(value.node);
    match value.view.rank() {
        4 => map(&value.view, [c, h, w]),
        3 if h == 1 && w > 1 && value.view.is_all_of(2, 0, [c, h, w]) => tokens(graph, patches, value.node),
        _ => None,
    }
}

/// Of `[1,c,h,w]`, or of `[1,h,w,c]` where the channels lie so.
fn map(view: &View, extents: [usize; 3]) -> Option<Rearrange> {
    let channels = (1..4).find(|axis| view.extent(*axis) > 1 && view.is_all_of(*axis, 0, extents)).unwrap_or(1);
    let space: Vec<usize> = (1..4).filter(|axis| *axis != channels).collect();
    view.laid_out(extents, [&[channels], &space[..1], &space[1..]]).0
}

fn tokens(graph: &Graph, known: Option<[usize; 2]>, node: NodeId) -> Option<Rearrange> {
    let [_, c, _, tokens] = graph.shape(node);
    let fits = |[h, w]: &[usize; 2]| *h > 1 && tokens >= h * w && tokens - h * w <= 8;
    let patches = (0..node).rev().filter(|id| matches!(graph.nodes[*id].op, Op::Conv2d(_))).find_map(|id| {
        let [_, _, h, w] = graph.shape(id);
        Some([h, w]).filter(fits)
    });
    // Tokens that were made fewer between: of a square image, they are a square.
    let input = graph.nodes.iter().find(|node| node.op == Op::Input).map(|node| node.ty.shape);
    let side = tokens.isqrt();
    let square = input.is_some_and(|[_, _, h, w]| h == w).then_some([side; 2]).filter(fits);
    let [rows, columns] = known.filter(fits).or(patches).or(square)?;
    let digit = |extent, from, to| Digit { extent, from: Some(from), to: Some(to) };
    let digits = vec![digit(c, (0, 1), (0, 1)), digit(rows, (2, columns), (1, 1)), digit(columns, (2, 1), (2, 1))];
    let from = Side { extents: [c, 1, tokens], start: [0, 0, tokens - rows * columns] };
    Some(Rearrange { from, to: Side::whole([c, rows, columns]), digits })
}
