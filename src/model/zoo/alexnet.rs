//! `AlexNet`: Krizhevsky et al., NIPS 2012. This is the version for one GPU (Krizhevsky, arXiv 1404.5997, section 5)
//! without its normalisations, as in torchvision.

use super::{Architecture, Library};
use crate::graph::{Activation::Relu, Builder, GraphError, NodeId, Op, Pool2d, Window};

pub const ROWS: &[Architecture] = &[Architecture::new("alexnet", Library::Torchvision, "classifier.6", alexnet)];

fn alexnet(b: &mut Builder, x: NodeId, classes: usize) -> Result<NodeId, GraphError> {
    let x = b.module("features", |b| {
        let x = b.conv("0", x, 64, Window::square(11, 4, 2), 1, true)?;
        let x = b.layer("1", x, Op::Activate(Relu))?;
        let x = b.layer("2", x, Pool2d::max(3, 2, 0, false))?;
        let x = b.conv("3", x, 192, Window::square(5, 1, 2), 1, true)?;
        let x = b.layer("4", x, Op::Activate(Relu))?;
        let x = b.layer("5", x, Pool2d::max(3, 2, 0, false))?;
        let x = b.conv("6", x, 384, Window::square(3, 1, 1), 1, true)?;
        let x = b.layer("7", x, Op::Activate(Relu))?;
        let x = b.conv("8", x, 256, Window::square(3, 1, 1), 1, true)?;
        let x = b.layer("9", x, Op::Activate(Relu))?;
        let x = b.conv("10", x, 256, Window::square(3, 1, 1), 1, true)?;
        let x = b.layer("11", x, Op::Activate(Relu))?;
        b.layer("12", x, Pool2d::max(3, 2, 0, false))
    })?;
    let x = b.layer("avgpool", x, Op::AdaptivePool { to: [6, 6] })?;
    b.head("classifier", x, |b| {
        let x = b.linear("1", x, 4096, true)?;
        let x = b.layer("2", x, Op::Activate(Relu))?;
        let x = b.linear("4", x, 4096, true)?;
        let x = b.layer("5", x, Op::Activate(Relu))?;
        b.linear("6", x, classes, true)
    })
}
