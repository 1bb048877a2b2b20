//! The end of a classifier: global pooling, then linear layers. People change it more often than the rest.

use super::{Builder, Dense, GlobalPool, GraphError, NodeId, Op, Pool2d, PoolKind, Window};

/// PyTorch's default epsilon of norms.
const EPS: f32 = 1e-5;

impl Builder<'_> {
    /// Global pooling as the module `name`, or as a function.
    ///
    /// # Errors
    /// None for a feature map.
    pub fn global_pool(&mut self, name: Option<&str>, x: NodeId) -> Result<NodeId, GraphError> {
        let pool = self.source.global_pool();
        let [_, _, h, w] = self.graph.shape(x);
        let window = Window { kernel: [h, w], ..Window::square(1, 1, 0) };
        let greatest = Op::Pool2d(Pool2d { kind: PoolKind::Max, window, ceil_mode: false });
        let pooled = |b: &mut Self| match pool {
            GlobalPool::Average => b.op(Op::Mean, &[x]),
            GlobalPool::Max => b.op(greatest, &[x]),
            _ => {
                let (mean, greatest) = (b.op(Op::Mean, &[x])?, b.op(greatest, &[x])?);
                match pool {
                    GlobalPool::Both => b.concat(&[mean, greatest]),
                    GlobalPool::BothMaxFirst => b.concat(&[greatest, mean]),
                    _ => {
                        let (sum, channels) = (b.op(Op::Add, &[mean, greatest])?, b.channels(mean));
                        b.affine("avgmax", sum, &vec![0.5; channels], &vec![0.0; channels])
                    }
                }
            }
        };
        match name {
            Some(name) => self.module(name, pooled),
            None => pooled(self),
        }
    }

    /// The classifier, which is the module `root`: the source's own layers if it has any, and else `usual`.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the input does not fit.
    pub fn head(
        &mut self,
        root: &str,
        x: NodeId,
        usual: impl FnOnce(&mut Self) -> Result<NodeId, GraphError>,
    ) -> Result<NodeId, GraphError> {
        match self.source_head(root, x) {
            Some(layers) => self.dense(root, x, &layers),
            None => self.module(root, usual),
        }
    }

    /// The classifier that is one linear layer, unless the source has other layers: the module `root`.
    ///
    /// # Errors
    /// [`GraphError::Shape`] if the input does not fit.
    pub fn classifier(&mut self, root: &str, x: NodeId, classes: usize) -> Result<NodeId, GraphError> {
        match self.source_head(root, x) {
            Some(layers) => self.dense(root, x, &layers),
            None => self.linear(root, x, classes, true),
        }
    }

    fn source_head(&mut self, root: &str, x: NodeId) -> Option<Vec<Dense>> {
        let [_, c, h, w] = self.graph.shape(x);
        let path = self.path(root);
        self.source.head(&path, c * h * w)
    }

    fn dense(&mut self, root: &str, x: NodeId, layers: &[Dense]) -> Result<NodeId, GraphError> {
        // One linear layer may be the module itself.
        if let [Dense::Linear(name, out, bias)] = layers
            && name.is_empty()
        {
            return self.linear(root, x, *out, *bias);
        }
        self.module(root, |b| {
            layers.iter().try_fold(x, |x, layer| match layer {
                Dense::Linear(name, out, bias) => b.linear(name, x, *out, *bias),
                Dense::BatchNorm(name) => b.batch_norm(name, x, EPS, None),
                Dense::LayerNorm(name) => b.layer_norm(name, x, EPS),
                Dense::Activate(activation) => b.op(Op::Activate(*activation), &[x]),
            })
        })
    }
}
