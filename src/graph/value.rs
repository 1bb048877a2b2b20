//! Types of a graph: indices of nodes and parameters, kinds and shapes of values.

/// Index of a node in its graph.
pub type NodeId = usize;
/// Index of a parameter in its graph.
pub type ParamId = usize;

/// Extents `[n, c, h, w]`.
pub type Shape = [usize; 4];

/// How a value's numbers are stored, and so where an engine keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Activations, gradients, maps and records in the engine's own layout (on the GPU: blocks of four channels).
    Features,
    /// f32 in row-major `[n,c,h,w]`: tensors that enter or leave the engine.
    Plain,
    /// RGBA, one byte per channel, row-major.
    Pixels,
}

/// Kind and extents of a node's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// How its numbers are stored.
    pub kind: Kind,
    /// `[n, c, h, w]`.
    pub shape: Shape,
}
