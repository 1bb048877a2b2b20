//! Where a builder takes trained tensors from, and the end of a classifier, which people change more often than the rest.

use std::sync::Arc;

use super::Activation;

/// Where a builder takes trained tensors from.
///
/// A source answers every request, even one that it cannot meet. One pass over the network thus finds all missing and
/// misshapen tensors, and the errors are reported at the end.
pub trait ParamSource {
    /// The tensor of this name with exactly this shape. If there is none, the source records an error and returns an
    /// empty slice.
    fn get(&mut self, name: &str, shape: &[usize]) -> Arc<[f32]>;

    /// The extents of the tensor of this name, if the source knows them.
    fn shape(&self, _name: &str) -> Option<&[usize]> {
        None
    }

    /// The layers that stand in place of an architecture's own classifier at the module `root`, if there are any. They
    /// take `features` numbers.
    fn head(&mut self, _root: &str, _features: usize) -> Option<Vec<Dense>> {
        None
    }

    /// How the last feature map becomes one number a channel.
    fn global_pool(&self) -> GlobalPool {
        GlobalPool::Average
    }

    /// The stride of the last feature map, where a network dilates its last stages instead of striding.
    fn output_stride(&self) -> usize {
        32
    }
}

/// How the last feature map becomes one number a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GlobalPool {
    /// The mean.
    #[default]
    Average,
    /// The greatest value.
    Max,
    /// The mean of both: timm's `avgmax`.
    AverageMax,
    /// The means, then the greatest values: timm's `catavgmax`.
    Both,
    /// The greatest values, then the means: fastai's `AdaptiveConcatPool2d`.
    BothMaxFirst,
}

impl GlobalPool {
    /// How many numbers come of so many channels.
    pub fn features(self, channels: usize) -> usize {
        if matches!(self, Self::Both | Self::BothMaxFirst) { 2 * channels } else { channels }
    }
}

/// A layer of a classifier, under its path inside the classifier.
#[derive(Clone, Debug, PartialEq)]
pub enum Dense {
    /// `torch.nn.Linear` with so many outputs, perhaps with a bias.
    Linear(String, usize, bool),
    /// `torch.nn.BatchNorm1d`.
    BatchNorm(String),
    /// `torch.nn.LayerNorm`.
    LayerNorm(String),
    /// An activation.
    Activate(Activation),
}
