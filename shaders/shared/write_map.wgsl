// `store_y(i, texel)` stores a map at binding $1: as texels, or with PLAIN as plain numbers.
#ifdef PLAIN
@group(0) @binding($1) var<storage, read_write> y: array<f32>;
fn store_y(i: u32, texel: vec4<f32>) { y[i] = texel.x; }
#else
#import write y $1
#endif
