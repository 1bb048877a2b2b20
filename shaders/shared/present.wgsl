// 1 for the channels of a block that exist, 0 past the last channel.
fn present(block: u32) -> vec4<f32> {
    let channel = vec4<u32>(0u, 1u, 2u, 3u) + block * 4u;
    return select(vec4<f32>(), vec4<f32>(1.0), channel < vec4<u32>(params.channels));
}
