//! Scores with rows and columns, as of a segmentation: their mean over a box.

use super::lower::{Lowering, Value};
use crate::graph::{Digit, NodeId, Op, Rearrange, Side};

/// The mean of each class's scores over a box: left, top, right and bottom, 0 to 1 of the scores' sides. Pixels that it touches
/// count.
///
/// # Errors
/// Scores that have no rows and columns.
pub fn mean(lowering: &mut Lowering, scores: &Value, region: [f64; 4]) -> Result<NodeId, String> {
    let [1, c, h, w] = scores.view.dims()[..] else {
        return Err(format!("{:?} has no rows and columns; leave --box out", scores.view.dims()));
    };
    let range = |from: f64, to: f64, extent: usize| {
        let first = ((from * extent as f64) as usize).min(extent - 1);
        (first, ((to * extent as f64).ceil() as usize).clamp(first + 1, extent))
    };
    let [left, top, right, bottom] = region;
    let ((first_row, end_row), (first_column, end_column)) = (range(top, bottom, h), range(left, right, w));
    let extents = [c, end_row - first_row, end_column - first_column];
    let laid = lowering.laid_out(scores, [&[0, 1], &[2], &[3]])?;
    let digit = |axis: usize| Digit { extent: extents[axis], from: Some((axis, 1)), to: Some((axis, 1)) };
    let moves = Rearrange {
        from: Side { extents: [c, h, w], start: [0, first_row, first_column] },
        to: Side::whole(extents),
        digits: (0..3).map(digit).filter(|digit| digit.extent > 1).collect(),
    };
    let part = if extents == [c, h, w] { laid.node } else { lowering.moved(laid.node, moves)? };
    lowering.push(Op::Mean, &[part])
}
