    // Geometry of a convolution, width before height: the first parameters of all kernels that have windows and weights.
    // What a shader unrolls of it is a constant too.
    in_size: vec2<u32>,
    grid: vec2<u32>,      // of the outputs that are made
    out_size: vec2<u32>,
    kernel: vec2<u32>,
    stride: vec2<u32>,
    dilation: vec2<u32>,
    pad: vec2<u32>,       // before the first column and row; wraps where negative
    step: vec2<u32>,      // between outputs
    offset: vec2<u32>,    // of the first output
