//! Squeeze-and-excitation: Hu et al., arXiv 1709.01507, figure 3. A small network computes a factor for each channel
//! from the channels' means.

use crate::graph::{Activation, Builder, GraphError, NodeId, Op, Window};

/// `x` with each channel multiplied by `outer(expand(inner(reduce(mean(x)))))`. The two 1×1 convolutions are the
/// modules `names`.
///
/// This function opens no module around them. If the library has one, the caller opens it.
pub fn squeeze_excitation(
    b: &mut Builder,
    x: NodeId,
    names: [&str; 2],
    squeezed: usize,
    inner: Activation,
    outer: Activation,
) -> Result<NodeId, GraphError> {
    let [reduce, expand] = names;
    let s = b.op(Op::Mean, &[x])?;
    let s = b.conv(reduce, s, squeezed, Window::square(1, 1, 0), 1, true)?;
    let s = b.op(Op::Activate(inner), &[s])?;
    let s = b.conv(expand, s, b.channels(x), Window::square(1, 1, 0), 1, true)?;
    let s = b.op(Op::Activate(outer), &[s])?;
    b.op(Op::Gate, &[x, s])
}
