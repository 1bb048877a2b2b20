//! What nodes and parameters are named by, and what a node's value is.

/// Index of a node in its graph.
pub type NodeId = usize;
/// Index of a parameter in its graph.
pub type ParamId = usize;

/// `[n, c, h, w]`.
pub type Shape = [usize; 4];

/// What a node's value is made of, and so where an engine keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Activations, gradients, maps and records, in the engine's own layout (blocks of four channels on the GPU).
    Features,
    /// f32 in row-major `[n,c,h,w]`: tensors that come in or go out.
    Plain,
    /// RGBA, one byte a channel, row-major.
    Pixels,
}

/// Kind and extents of a node's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// What it is made of.
    pub kind: Kind,
    /// `[n, c, h, w]`.
    pub shape: Shape,
}
