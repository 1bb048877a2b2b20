//! Inception v3: Szegedy et al., arXiv 1512.00567, table 1, with torchvision's names for the modules of figures 5 to
//! 7 and of the grid reductions.
//!
//! The auxiliary classifier is left out: it serves training only. torchvision's own weights expect an input
//! normalised with mean and standard deviation 0.5 (`transform_input`).

use super::googlenet::basic_conv;
use super::{Architecture, Library};
use crate::graph::{Builder, GraphError, NodeId, Pool2d, Window};

pub const ROWS: &[Architecture] = &[Architecture {
    default_layer: "Mixed_7c",
    size: 299,
    ignored: &["AuxLogits."],
    ..Architecture::new("inception_v3", Library::Torchvision, "fc", inception_v3)
}];

fn inception_v3(b: &mut Builder, x: NodeId, classes: usize) -> Result<NodeId, GraphError> {
    let x = valid(b, "Conv2d_1a_3x3", x, 32, 2)?;
    let x = valid(b, "Conv2d_2a_3x3", x, 32, 1)?;
    let x = same(b, "Conv2d_2b_3x3", x, 64, [3, 3])?;
    let x = b.layer("maxpool1", x, Pool2d::max(3, 2, 0, false))?;
    let x = same(b, "Conv2d_3b_1x1", x, 80, [1, 1])?;
    let x = valid(b, "Conv2d_4a_3x3", x, 192, 1)?;
    let x = b.layer("maxpool2", x, Pool2d::max(3, 2, 0, false))?;
    let x = b.module("Mixed_5b", |b| inception_a(b, x, 32))?;
    let x = b.module("Mixed_5c", |b| inception_a(b, x, 64))?;
    let x = b.module("Mixed_5d", |b| inception_a(b, x, 64))?;
    let x = b.module("Mixed_6a", |b| inception_b(b, x))?;
    let x = b.module("Mixed_6b", |b| inception_c(b, x, 128))?;
    let x = b.module("Mixed_6c", |b| inception_c(b, x, 160))?;
    let x = b.module("Mixed_6d", |b| inception_c(b, x, 160))?;
    let x = b.module("Mixed_6e", |b| inception_c(b, x, 192))?;
    let x = b.module("Mixed_7a", |b| inception_d(b, x))?;
    let x = b.module("Mixed_7b", |b| inception_e(b, x))?;
    let x = b.module("Mixed_7c", |b| inception_e(b, x))?;
    let x = b.global_pool(Some("avgpool"), x)?;
    b.classifier("fc", x, classes)
}

/// At 35×35: two 3×3 convolutions in place of one 5×5 (figure 5).
fn inception_a(b: &mut Builder, x: NodeId, pooled: usize) -> Result<NodeId, GraphError> {
    let one = same(b, "branch1x1", x, 64, [1, 1])?;
    let y = same(b, "branch5x5_1", x, 48, [1, 1])?;
    let five = same(b, "branch5x5_2", y, 64, [5, 5])?;
    let y = same(b, "branch3x3dbl_1", x, 64, [1, 1])?;
    let y = same(b, "branch3x3dbl_2", y, 96, [3, 3])?;
    let double = same(b, "branch3x3dbl_3", y, 96, [3, 3])?;
    let pool = branch_pool(b, x, pooled)?;
    b.concat(&[one, five, double, pool])
}

/// From 35×35 to 17×17 (figure 10).
fn inception_b(b: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let three = valid(b, "branch3x3", x, 384, 2)?;
    let y = same(b, "branch3x3dbl_1", x, 64, [1, 1])?;
    let y = same(b, "branch3x3dbl_2", y, 96, [3, 3])?;
    let double = valid(b, "branch3x3dbl_3", y, 96, 2)?;
    let pool = b.op(Pool2d::max(3, 2, 0, false), &[x])?;
    b.concat(&[three, double, pool])
}

/// At 17×17: a row and a column in place of a 7×7 square (figure 6).
fn inception_c(b: &mut Builder, x: NodeId, width: usize) -> Result<NodeId, GraphError> {
    let one = same(b, "branch1x1", x, 192, [1, 1])?;
    let y = same(b, "branch7x7_1", x, width, [1, 1])?;
    let y = same(b, "branch7x7_2", y, width, [1, 7])?;
    let seven = same(b, "branch7x7_3", y, 192, [7, 1])?;
    let y = same(b, "branch7x7dbl_1", x, width, [1, 1])?;
    let y = same(b, "branch7x7dbl_2", y, width, [7, 1])?;
    let y = same(b, "branch7x7dbl_3", y, width, [1, 7])?;
    let y = same(b, "branch7x7dbl_4", y, width, [7, 1])?;
    let double = same(b, "branch7x7dbl_5", y, 192, [1, 7])?;
    let pool = branch_pool(b, x, 192)?;
    b.concat(&[one, seven, double, pool])
}

/// From 17×17 to 8×8.
fn inception_d(b: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let y = same(b, "branch3x3_1", x, 192, [1, 1])?;
    let three = valid(b, "branch3x3_2", y, 320, 2)?;
    let y = same(b, "branch7x7x3_1", x, 192, [1, 1])?;
    let y = same(b, "branch7x7x3_2", y, 192, [1, 7])?;
    let y = same(b, "branch7x7x3_3", y, 192, [7, 1])?;
    let seven = valid(b, "branch7x7x3_4", y, 192, 2)?;
    let pool = b.op(Pool2d::max(3, 2, 0, false), &[x])?;
    b.concat(&[three, seven, pool])
}

/// At 8×8: a row and a column side by side (figure 7).
fn inception_e(b: &mut Builder, x: NodeId) -> Result<NodeId, GraphError> {
    let one = same(b, "branch1x1", x, 320, [1, 1])?;
    let y = same(b, "branch3x3_1", x, 384, [1, 1])?;
    let row = same(b, "branch3x3_2a", y, 384, [1, 3])?;
    let column = same(b, "branch3x3_2b", y, 384, [3, 1])?;
    let y = same(b, "branch3x3dbl_1", x, 448, [1, 1])?;
    let y = same(b, "branch3x3dbl_2", y, 384, [3, 3])?;
    let double_row = same(b, "branch3x3dbl_3a", y, 384, [1, 3])?;
    let double_column = same(b, "branch3x3dbl_3b", y, 384, [3, 1])?;
    let pool = branch_pool(b, x, 192)?;
    b.concat(&[one, row, column, double_row, double_column, pool])
}

fn branch_pool(b: &mut Builder, x: NodeId, out: usize) -> Result<NodeId, GraphError> {
    let x = b.op(Pool2d::average(3, 1, 1), &[x])?;
    same(b, "branch_pool", x, out, [1, 1])
}

/// A convolution padded so that the size stays the same.
fn same(b: &mut Builder, name: &str, x: NodeId, out: usize, kernel: [usize; 2]) -> Result<NodeId, GraphError> {
    let pad = kernel.map(|k| k / 2);
    basic_conv(b, name, x, out, Window { kernel, pad_start: pad, pad_end: pad, ..Window::square(1, 1, 0) })
}

/// An unpadded 3×3 convolution.
fn valid(b: &mut Builder, name: &str, x: NodeId, out: usize, stride: usize) -> Result<NodeId, GraphError> {
    basic_conv(b, name, x, out, Window::square(3, stride, 0))
}
