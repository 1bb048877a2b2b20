//! Trained tensors.

use std::borrow::Cow;
use std::sync::Arc;

/// A trained tensor.
#[derive(Clone, Debug)]
pub struct Param {
    /// Name in the weights file, unique in the graph.
    pub name: String,
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    pub(super) values: Arc<[f32]>,
    /// A factor per outermost row, from a folded batch norm. It is applied only when the values are read.
    pub(super) row_scale: Option<Arc<[f32]>>,
}

impl Param {
    /// A tensor without row factors.
    pub fn new(name: String, shape: Vec<usize>, values: Arc<[f32]>) -> Self {
        Self { name, shape, values, row_scale: None }
    }

    /// The values in row-major order.
    pub fn values(&self) -> Cow<'_, [f32]> {
        let Some(scale) = &self.row_scale else { return Cow::Borrowed(&self.values) };
        let row = self.values.len() / scale.len();
        let scaled = |(v, s): (&[f32], &f32)| v.iter().map(|v| v * s).collect::<Vec<_>>();
        Cow::Owned(self.values.chunks(row).zip(scale.iter()).flat_map(scaled).collect())
    }
}
