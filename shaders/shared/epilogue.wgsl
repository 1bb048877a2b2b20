// `finish(i, v)` is what the kernel stores as texel i for its own value v. f is the activation of code ACTIVATION.
//   f(v)              without ADD and SLOPE
//   f(v + extra[i])   ADD: extra is a residual, or a gradient that exists already
//   v · f'(extra[i])  SLOPE: the gradient through an activation, from its saved output or input
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
