// `$1` at binding $2: a tensor of texels (four channels of one pixel), read only.
// `load_$1(i)` is texel i. Every tensor begins with an additional texel that is always zero. It serves as the padding of
// convolutions. `fetch_$1(0)` is that zero, `fetch_$1(i + 1)` is texel i.
#ifdef TEXTURE
@group(0) @binding($2) var $1: texture_storage_2d<rgba32float, read>;
fn fetch_$1(i: u32) -> vec4<f32> { return textureLoad($1, vec2<u32>(i & 4095u, i >> 12u)); }
#else
@group(0) @binding($2) var<storage, read> $1: array<vec4<f32>>;
fn fetch_$1(i: u32) -> vec4<f32> { return $1[i]; }
#endif
fn load_$1(i: u32) -> vec4<f32> { return fetch_$1(i + 1u); }
