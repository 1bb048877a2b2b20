//! Reproducible noise: numbers that depend only on a seed, a sample's index and a place.

/// The key of a sample's noise, for [`super::Op::Noise`].
pub fn key(seed: u32, index: u32) -> u32 {
    hash(index ^ hash(seed))
}

/// PCG's output permutation: Jarzynski and Olano, "Hash Functions for GPU Rendering". `shared/hash.wgsl` has the same.
pub fn hash(v: u32) -> u32 {
    let state = v.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}
