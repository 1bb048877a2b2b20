// `$1` at binding $2: a tensor of texels (four channels of one pixel), write only, laid out as in `read`.
#ifdef TEXTURE
@group(0) @binding($2) var $1: texture_storage_2d<rgba32float, write>;
fn store_$1(i: u32, texel: vec4<f32>) { textureStore($1, vec2<u32>((i + 1u) & 4095u, (i + 1u) >> 12u), texel); }
#else
@group(0) @binding($2) var<storage, read_write> $1: array<vec4<f32>>;
fn store_$1(i: u32, texel: vec4<f32>) { $1[i + 1u] = texel; }
#endif
