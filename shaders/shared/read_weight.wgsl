// `$1` at binding $2: trained numbers as texels, read only, after a zero texel as in `read`. With HALF they are stored
// as f16 and converted to f32 when they are loaded.
#ifdef TEXTURE
#ifdef HALF
@group(0) @binding($2) var $1: texture_storage_2d<rgba16float, read>;
#else
@group(0) @binding($2) var $1: texture_storage_2d<rgba32float, read>;
#endif
fn fetch_$1(i: u32) -> vec4<f32> { return textureLoad($1, vec2<u32>(i & 4095u, i >> 12u)); }
#else
#ifdef HALF
@group(0) @binding($2) var<storage, read> $1: array<vec2<u32>>;
fn fetch_$1(i: u32) -> vec4<f32> { let t = $1[i]; return vec4<f32>(unpack2x16float(t.x), unpack2x16float(t.y)); }
#else
@group(0) @binding($2) var<storage, read> $1: array<vec4<f32>>;
fn fetch_$1(i: u32) -> vec4<f32> { return $1[i]; }
#endif
#endif
fn load_$1(i: u32) -> vec4<f32> { return fetch_$1(i + 1u); }
