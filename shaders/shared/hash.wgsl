// PCG's output permutation: Jarzynski and Olano, "Hash Functions for GPU Rendering". `graph/noise.rs` has the same.
fn hash(v: u32) -> u32 {
    let state = v * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}
