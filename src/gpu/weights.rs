//! A model's weights on a device.

use std::collections::HashMap;
use std::sync::Arc;

use super::device::Gpu;
use super::memory::Memory;
use crate::error::Result;
use crate::graph::Graph;
use crate::kernels::Constant;
use crate::memory::Share;

/// A model's packed weights on a device, shared by all plans of the model.
#[derive(Default)]
pub struct Weights {
    tensors: HashMap<String, Arc<Memory>>,
    shares: Vec<Share>,
}

impl Weights {
    /// Returns the packed constant, and uploads it at its first use. `half` stores it as f16.
    pub(super) fn get(&mut self, gpu: &Gpu, graph: &Graph, constant: &Constant, half: bool) -> Result<Arc<Memory>> {
        let key = constant.key(graph);
        if let Some(tensor) = self.tensors.get(&key) {
            return Ok(tensor.clone());
        }
        let tensor = Arc::new(Memory::upload(&gpu.handle, constant.pack(graph), gpu.profile.texture, half)?);
        self.tensors.insert(key, tensor.clone());
        self.shares.push(gpu.handle.share(tensor.bytes()));
        Ok(tensor)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn bytes(&self) -> u64 {
        self.tensors.values().map(|t| t.bytes()).sum()
    }
}
