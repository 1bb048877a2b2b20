// What a value goes through on its way out to texel `i`:
//   f(v)              the activation of code ACTIVATION
//   f(v + extra[i])   ADD: a residual, or a gradient that is there already
//   v · f'(extra[i])  SLOPE: a gradient on its way through an activation, from the saved output or input
#import activation
#ifdef ADD
#import read extra $1
#endif
#ifdef SLOPE
#import read extra $1
#endif
fn finish(i: u32, v: vec4<f32>) -> vec4<f32> {
#ifdef SLOPE
    return v * slope(ACTIVATION, load_extra(i));
#else
#ifdef ADD
    return activate(ACTIVATION, v + load_extra(i));
#else
    return activate(ACTIVATION, v);
#endif
#endif
}
