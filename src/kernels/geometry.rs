//! What kernels with windows share: their geometry, and how they divide rows into neighbouring pixels.

use bytemuck::{Pod, Zeroable};

use super::pass::Pass;
use crate::graph::Shape;

/// Geometry of a pass, width before height; in sync with `shared/geometry.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub struct Geometry {
    in_size: [u32; 2],
    grid: [u32; 2],
    out_size: [u32; 2],
    kernel: [u32; 2],
    stride: [u32; 2],
    dilation: [u32; 2],
    pad: [u32; 2],
    step: [u32; 2],
    offset: [u32; 2],
}

impl Geometry {
    /// The geometry of a pass from values of the first shape to values of the second.
    pub fn new(pass: &Pass, [_, _, in_h, in_w]: Shape, [_, _, h, w]: Shape) -> Self {
        Self {
            in_size: size([in_h, in_w]),
            grid: size(pass.grid),
            out_size: size([h, w]),
            kernel: size(pass.taps.count),
            stride: size(pass.stride),
            dilation: size(pass.dilation),
            pad: size(pass.pad.map(|p| p as usize)),
            step: size(pass.step),
            offset: size(pass.offset),
        }
    }
}

/// Neighbouring pixels of a row per invocation, at most `most`. Of the counts that waste the fewest pixels it is the largest.
pub fn columns(most: u32, width: usize) -> u32 {
    let wasted = |p: &u32| width.next_multiple_of(*p as usize);
    (2..=most).rev().min_by_key(wasted).unwrap_or(1)
}

/// Defines of kernels that make `pixels` neighbouring pixels of a row. Their windows lie in COLUMNS columns.
pub fn row_defines(pass: &Pass, pixels: u32) -> Vec<(&'static str, u32)> {
    let [kernel, stride, dilation] = [pass.taps.count[1].max(1), pass.stride[1], pass.dilation[1]].map(|v| v as u32);
    vec![
        ("KERNEL", kernel),
        ("ROWS", pass.taps.count[0] as u32),
        ("STRIDE", stride),
        ("DILATION", dilation),
        ("COLUMNS", (pixels - 1) * stride + (kernel - 1) * dilation + 1),
    ]
}

/// Extents as a shader has them: width before height.
pub fn size([vertical, horizontal]: [usize; 2]) -> [u32; 2] {
    [horizontal as u32, vertical as u32]
}
