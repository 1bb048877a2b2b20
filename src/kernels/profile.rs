//! Which variants of the kernels a device gets.

use std::sync::Arc;

use super::texel::MAX_TEXELS;
use super::tiling::{Costs, Team, Tile, Tuned};
use crate::error::{Error, Result};

/// Where tensors live and how the work is cut, chosen for a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Name, for listings.
    pub name: &'static str,
    /// Tensors lie in `rgba32float` storage textures instead of storage buffers.
    pub texture: bool,
    /// Matrices and convolutions' weights are stored as f16; sums stay f32.
    pub half: bool,
    /// Large products go to units that multiply matrices, from operands rounded to f16; sums stay f32.
    pub matrices: bool,
    /// The fixed number of invocations of a subgroup, which may share their weights; none if each fetches its own.
    pub subgroup: Option<u32>,
    /// Operands that a kernel may have besides its parameters, four at least.
    pub operands: u32,
    /// Invocations of a workgroup of light, element-wise kernels.
    pub flat: u32,
    /// Invocations of a workgroup of kernels with a register tile each.
    pub tiled: u32,
    /// Register tiles to choose from: output blocks of four channels, pixels.
    pub tiles: &'static [[u32; 2]],
    /// Macro tiles to choose from besides, the largest first; none if workgroups are to share nothing.
    pub shared: &'static [Tile],
    /// Bytes of memory that a workgroup can share.
    pub storage: u32,
    /// By which they are chosen,
    pub costs: Costs,
    /// unless the device was measured.
    pub tuned: Option<Arc<Tuned>>,
    /// Texels that one invocation makes at most where a register tile takes all outputs of a layer.
    pub sums: u32,
    /// Neighbouring pixels of a row that one invocation makes at most.
    pub row: u32,
    /// Texels of an intermediate value that should stay in a cache.
    pub cached: usize,
    /// Texels of a product's input that all its tiles read before any reads the next ones: as many as a core's cache keeps.
    pub near: usize,
    /// Texels of the largest piece of a weight, after the zero before them.
    pub piece: usize,
    /// Invocations that share one reduced output, and outputs of a workgroup.
    pub lanes: [u32; 2],
    /// Invocations that reduce one image or map.
    pub wide: u32,
}

impl Profile {
    /// For graphics processors: storage buffers, coalesced, moderate tiles, wide workgroups.
    pub const BUFFERS: Self = Self {
        name: "buffers",
        texture: false,
        half: false,
        matrices: false,
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

    /// For graphics processors with memory of their own and wide caches for it, where a workgroup's shared memory is
    /// much nearer: large products are cut into macro tiles.
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

    /// For drivers that run on a processor, where a texture load is many times cheaper than a buffer load,
    /// a large register tile pays, a barrier costs more than it saves, and a workgroup costs as much as a
    /// light kernel does for eight elements.
    pub const TEXTURES: Self = Self {
        name: "textures",
        texture: true,
        half: false,
        matrices: false,
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

    /// The same where subgroups are of one size: their lanes share the loads of weights.
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
