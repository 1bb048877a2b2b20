//! Profiles: the kernel variants for different devices.

use std::sync::Arc;

use super::texel::MAX_TEXELS;
use super::tiling::{Costs, Factors, Team, Tile, Tuned};
use crate::error::{Error, Result};

/// A kernel variant: where tensors live and how work is divided on a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name, for listings.
    pub name: &'static str,
    /// Tensors lie in `rgba32float` storage textures instead of storage buffers.
    pub texture: bool,
    /// Weights of linear layers and convolutions are stored as f16; sums stay f32.
    pub half: bool,
    /// What macro tiles may multiply at most: f32, f16, or f16 on matrix units.
    pub factors: Factors,
    /// The fixed subgroup size, if the invocations of a subgroup may share weight loads; none if each loads its own.
    pub subgroup: Option<u32>,
    /// Maximum number of operands of a kernel besides its parameters, at least four.
    pub operands: u32,
    /// Workgroup size of light, element-wise kernels.
    pub flat: u32,
    /// Workgroup size of kernels in which each invocation makes a register tile.
    pub tiled: u32,
    /// Register tiles to choose from, as `[output blocks, pixels]`.
    pub tiles: &'static [[u32; 2]],
    /// Macro tiles to choose from as well, the largest first; empty if workgroups are to share no weights and pixels.
    pub shared: &'static [Tile],
    /// Bytes of shared memory of a workgroup.
    pub storage: u32,
    /// Cost model by which tiles are chosen.
    pub costs: Costs,
    /// Measured tiles, if the device was measured. They take precedence over the cost model.
    pub tuned: Option<Arc<Tuned>>,
    /// Maximum texels of a register tile in the fused kernels `separable` and `conv_pool`.
    pub sums: u32,
    /// Maximum neighbouring pixels of a row per invocation.
    pub row: u32,
    /// Texels of an intermediate value that should fit a cache.
    pub cached: usize,
    /// Texels of a product's input that all its tiles read before any tile reads the next ones. As many as a core's cache
    /// keeps.
    pub near: usize,
    /// Texels of the largest piece of a weight, without the leading zero texel.
    pub piece: usize,
    /// Invocations that share one reduced output, and outputs per workgroup.
    pub lanes: [u32; 2],
    /// Invocations that reduce one image or map together.
    pub wide: u32,
}

impl Profile {
    /// For GPUs: storage buffers with coalesced loads, moderate tiles, wide workgroups.
    pub const BUFFERS: Self = Self {
        name: "buffers",
        texture: false,
        half: false,
        factors: Factors::F32,
        subgroup: None,
        operands: 5,
        flat: 64,
        tiled: 64,
        tiles: &[[2, 4], [1, 4], [2, 2], [1, 2], [1, 1]],
        shared: &[],
        storage: 16384,
        costs: Costs {
            fetch: 16.0,
            weight: 7.0,
            broadcast: 2.0,
            staged: 0.6,
            sync: 0.25,
            wait: 380.0,
            product: 16.0,
            matrices: 16.0,
            store: 100.0,
            start: 20.0,
            parallel: 12000.0,
        },
        tuned: None,
        sums: 16,
        row: 4,
        cached: 1 << 22,
        near: usize::MAX,
        piece: MAX_TEXELS,
        lanes: [64, 1],
        wide: 256,
    };

    /// For GPUs with dedicated memory and wide caches for it, where shared memory is much closer. Large products are cut into
    /// macro tiles.
    pub const BUFFERS_SHARED: Self = Self {
        name: "buffers-shared",
        shared: &[
            Tile::shared([32, 128], Team::of([2, 8], 2)),
            Tile::shared([32, 64], Team::of([2, 8], 2)),
            Tile::shared([16, 128], Team::of([2, 8], 2)),
            Tile::shared([16, 64], Team::of([2, 8], 2)),
            Tile::shared([16, 64], Team::of([2, 4], 4)),
            Tile::shared([16, 32], Team::of([2, 4], 2).sliced(4)),
            Tile::shared([8, 32], Team::of([1, 4], 4)),
            Tile::shared([8, 32], Team::of([1, 4], 2).sliced(4)),
            Tile::shared([8, 32], Team::of([2, 4], 2).sliced(8)),
            Tile::shared([8, 16], Team::of([1, 4], 2).sliced(8)),
            Tile::shared([4, 16], Team::of([1, 4], 2).sliced(16)),
            Tile::shared([32, 64], Team::of([2, 4], 4).by_matrices()),
            Tile::shared([16, 64], Team::of([2, 4], 4).by_matrices()),
            Tile::shared([16, 64], Team::of([2, 4], 8).by_matrices()),
        ],
        ..Self::BUFFERS
    };

    /// For software drivers, which run on the CPU. There a texture load is many times cheaper than a buffer load, a large
    /// register tile pays, a barrier costs more than it saves, and a workgroup costs as much as a light kernel does for eight
    /// elements.
    pub const TEXTURES: Self = Self {
        name: "textures",
        texture: true,
        half: false,
        factors: Factors::F32,
        subgroup: None,
        operands: 5,
        flat: 128,
        tiled: 8,
        tiles: &[[4, 7], [4, 4], [2, 7], [4, 2], [2, 2], [1, 7], [1, 4], [1, 1]],
        shared: &[],
        storage: 16384,
        costs: Costs {
            fetch: 25.0,
            weight: 25.0,
            broadcast: 2.0,
            staged: 25.0,
            sync: 0.0,
            wait: 0.0,
            product: 14.0,
            matrices: 14.0,
            store: 150.0,
            start: 300.0,
            parallel: 16.0,
        },
        tuned: None,
        sums: 32,
        row: 7,
        cached: 1 << 17,
        near: 1 << 14,
        piece: MAX_TEXELS,
        lanes: [1, 8],
        wide: 8,
    };

    /// Like [`Self::TEXTURES`], for drivers with one subgroup size: the lanes of a subgroup share weight loads.
    pub const TEXTURES_SUBGROUP: Self = Self { name: "textures-subgroup", subgroup: Some(8), ..Self::TEXTURES };

    /// All profiles.
    pub const ALL: [Self; 4] = [Self::BUFFERS, Self::BUFFERS_SHARED, Self::TEXTURES, Self::TEXTURES_SUBGROUP];

    /// The profile of this name.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn named(name: &str) -> Result<Self> {
        let unknown = || Error::unknown("variant", name, "gradcam explain --help", Self::ALL.iter().map(|p| p.name));
        Self::ALL.into_iter().find(|p| p.name == name).ok_or_else(unknown)
    }
}
