//! torchvision's `Conv2dNormActivation`.

use crate::graph::{Activation, Builder, GraphError, NodeId, Op, Window};

/// A convolution without bias (`name.0`), a batch norm with this epsilon (`name.1`) and an optional activation
/// (`name.2`).
pub fn conv_norm(
    b: &mut Builder,
    name: &str,
    x: NodeId,
    out: usize,
    window: Window,
    groups: usize,
    (eps, activation): (f32, Option<Activation>),
) -> Result<NodeId, GraphError> {
    b.module(name, |b| {
        let x = b.conv("0", x, out, window, groups, false)?;
        let x = b.batch_norm("1", x, eps, None)?;
        activation.map_or(Ok(x), |f| b.layer("2", x, Op::Activate(f)))
    })
}
