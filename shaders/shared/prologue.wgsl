// `prepare` is what a 1×1 convolution reads for a texel x of its input. The operand `before` is at binding $1.
//   f(scale[c] · x + shift[c])   a batch norm, f of code BEFORE; before: scale [in_blocks], then shift [in_blocks]
//   x · gate[image,c]            GATED: squeeze-excitation; before: gate [n][in_blocks]
// `prologue` loads what all pixels of a step share, once. `step` is the input's channel block.
struct Prologue { scale: vec4<f32>, shift: vec4<f32> }
#import read before $1
#ifdef GATED
fn prologue(image: u32, step: u32) -> Prologue {
    return Prologue(load_before(image * params.in_blocks + step), vec4<f32>());
}
fn prepare(x: vec4<f32>, by: Prologue) -> vec4<f32> { return x * by.scale; }
#else
fn prologue(image: u32, step: u32) -> Prologue {
    return Prologue(load_before(step), load_before(params.in_blocks + step));
}
fn prepare(x: vec4<f32>, by: Prologue) -> vec4<f32> { return activate(BEFORE, by.scale * x + by.shift); }
#endif
