//! Which variants of the kernels a device gets.

use crate::error::{Error, Result};

/// Where tensors live and how the work is cut, chosen for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    /// Name, for listings.
    pub name: &'static str,
    /// Tensors lie in `rgba32float` storage textures instead of storage buffers.
    pub texture: bool,
    /// Invocations of a workgroup of light, element-wise kernels.
    pub flat: u32,
    /// Invocations of a workgroup of kernels with a register tile each.
    pub tiled: u32,
    /// Register tile of a convolution: at most this many output blocks of four channels, and pixels.
    pub tile: [u32; 2],
    /// Invocations that share one reduced output, and outputs of a workgroup.
    pub lanes: [u32; 2],
    /// Invocations that reduce one image or map.
    pub wide: u32,
}

impl Profile {
    /// For graphics processors: storage buffers, coalesced, moderate tiles, wide workgroups.
    pub const BUFFERS: Self =
        Self { name: "buffers", texture: false, flat: 64, tiled: 64, tile: [2, 4], lanes: [64, 1], wide: 256 };

    /// For drivers that run on a processor, where a texture load is many times cheaper than a buffer load,
    /// a large register tile pays, a barrier costs more than it saves, and a workgroup costs as much as a
    /// light kernel does for eight elements.
    pub const TEXTURES: Self =
        Self { name: "textures", texture: true, flat: 128, tiled: 8, tile: [4, 7], lanes: [1, 8], wide: 8 };

    /// All profiles.
    pub const ALL: [Self; 2] = [Self::BUFFERS, Self::TEXTURES];

    /// The profile of this name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn named(name: &str) -> Result<Self> {
        let unknown = || Error::unknown("variant", name, "gradcam explain --help", Self::ALL.iter().map(|p| p.name));
        Self::ALL.into_iter().find(|p| p.name == name).ok_or_else(unknown)
    }

    /// Output blocks of a register tile for `blocks` in all: the largest that wastes the least.
    pub fn tile_blocks(&self, blocks: usize) -> usize {
        let largest = self.tile[0] as usize;
        let sizes = std::iter::successors(Some(largest), |s| (*s > 1).then_some(s / 2));
        sizes.min_by_key(|s| (blocks.div_ceil(*s) * s, largest - s)).unwrap_or(1)
    }
}
